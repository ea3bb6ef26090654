using System.Runtime.ExceptionServices;

namespace BirdResearch.Data;

/// <summary>A batch whose rows are filled by several threads, and waited for by one.</summary>
sealed class PendingBatch
{
    readonly WindowReader _reader;
    readonly WindowChange? _change;
    readonly PlannedWindow[] _windows;
    readonly Exception?[] _failures;
    readonly TaskCompletionSource _filled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ClipBatch _batch;
    int _left;

    public PendingBatch(WindowReader reader, PlannedWindow[] windows, IReadOnlyDictionary<string, int> columnOf, WindowChange? change)
    {
        (_reader, _change, _windows, _failures, _left) = (reader, change, windows, new Exception?[windows.Length], windows.Length);
        var labels = new float[windows.Length * columnOf.Count];
        for (var i = 0; i < windows.Length; i++)
            foreach (var label in windows[i].Clip.Labels)
                labels[i * columnOf.Count + columnOf[label]] = 1;
        _batch = new ClipBatch(
            GC.AllocateUninitializedArray<float>(windows.Length * reader.WindowSamples), labels, [.. windows.Select(w => w.Clip.Id)])
        {
            Keys = [.. windows.Select(w => w.Key).OfType<SampleKey>()],
        };
    }

    public int Count => _windows.Length;

    /// <summary>Reads row <paramref name="row"/>; never throws, a failure is kept for the one who waits.</summary>
    public void Fill(int row)
    {
        var (clip, offset, key) = _windows[row];
        try
        {
            if (key is { } drawn) offset = drawn.RandomFor("window").NextLong(Math.Max(1, _reader.LengthOf(clip) - _reader.WindowSamples + 1));
            var window = _batch.Samples.AsSpan(row * _reader.WindowSamples, _reader.WindowSamples);
            _reader.Read(clip, offset, window);
            if (key is { } sample) _change?.Invoke(sample, window);
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
