using System.Runtime.ExceptionServices;

namespace BirdResearch.Data;

/// <summary>A batch whose rows are filled by several threads, and waited for by one.</summary>
sealed class PendingBatch
{
    readonly WindowReader _reader;
    readonly WindowChange? _change;
    readonly SamplingSettings _sampling;
    readonly PlannedWindow[] _windows;
    readonly Exception?[] _failures;
    readonly TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ClipBatch _batch;
    int _left;

    public PendingBatch(WindowReader reader, PlannedWindow[] windows, LabelRule rule, WindowChange? change, SamplingSettings sampling)
    {
        (_reader, _change, _sampling) = (reader, change, sampling);
        (_windows, _failures, _left) = (windows, new Exception?[windows.Length], windows.Length);
        Clip[] clips = [.. windows.Select(w => w.Clip)];
        var (labels, weights) = rule.Of(clips);
        _batch = new ClipBatch(reader.Arrays.Rent(windows.Length * reader.WindowSamples), labels, [.. clips.Select(c => c.Id)])
        {
            Keys = [.. windows.Select(w => w.Key).OfType<SampleKey>()],
            LabelWeights = weights,
            Owner = reader.Arrays,
        };
    }

    public int Count => _windows.Length;

    /// <summary>Reads row <paramref name="row"/>; never throws, a failure is kept for the one who waits.</summary>
    public void Fill(int row)
    {
        var clip = _windows[row].Clip;
        try
        {
            var window = _batch.Samples.AsSpan(row * _reader.WindowSamples, _reader.WindowSamples);
            _reader.Read(clip, EpochPlan.Place(_reader, _windows[row], _sampling), window);
            if (_windows[row].Key is { } sample) _change?.Invoke(sample, window);
        }
        catch (Exception e)
        {
            _failures[row] = e.Message.Contains(clip.File, StringComparison.Ordinal)
                ? e : new InvalidDataException($"{clip.File} cannot be read: {e.Message}", e);
        }
        if (Interlocked.Decrement(ref _left) == 0) _filled.SetResult();
    }

    /// <summary>The filled batch; or the failure of its first row that failed, whichever came first in time.</summary>
    public ClipBatch Wait(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();   // waiting for what is done already would not look
        _filled.Task.Wait(cancellation);
        if (_failures.FirstOrDefault(f => f is not null) is { } failure) ExceptionDispatchInfo.Throw(failure);
        return _batch;
    }
}
