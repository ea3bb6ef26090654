using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// An average of a model's weights that follows its steps: running, as timm's ModelEmaV3, or of all steps of the last part of training alike (SWA). Every
/// float32 entry of the state dictionary, running statistics too, moves by 1 - decay towards the model's after each step; other entries (counters)
/// are copied.
/// </summary>
public sealed class WeightAverage : ITrainingState, IDisposable
{
    readonly EmaSettings? _running;
    readonly SwaSettings? _alike;
    readonly (string Key, Tensor Model, Tensor Average)[] _entries;

    /// <param name="model">Whose weights are averaged; the average begins as they are now.</param>
    /// <param name="settings">Set-up.</param>
    public WeightAverage(nn.Module model, EmaSettings settings)
        : this(model)
    {
        settings.Check();
        _running = settings;
    }

    /// <param name="model">Whose weights are averaged, from the last part of training on.</param>
    /// <param name="settings">Set-up.</param>
    public WeightAverage(nn.Module model, SwaSettings settings)
        : this(model)
    {
        settings.Check();
        _alike = settings;
    }

    WeightAverage(nn.Module model)
    {
        using var off = no_grad();
        _entries = [.. StateDictionary.Of(model).Select(e => (e.Key, e.Tensor, e.Tensor.detach().clone().DetachFromDisposeScope()))];
    }

    string ITrainingState.StateName => _alike is null ? "ema" : "swa";

    string? ITrainingState.StateText => Taken.ToString(CultureInfo.InvariantCulture);

    IEnumerable<(string Name, Tensor Value)> ITrainingState.StateTensors => _entries.Select(e => (e.Key, e.Average));

    /// <summary>Steps whose weights are in the average; while there are none it stands for nothing.</summary>
    public long Taken { get; private set; }

    /// <summary>The share that the step with that number, counted from 1, keeps of the average: 0 in the first, which copies the weights.</summary>
    public double DecayAt(long step)
    {
        if (step <= 1) return 0;
        return _running is not { } ema ? 1 - (1.0 / step) : ema.Warmup ? Math.Min(ema.Decay, 1 - Math.Pow(step, -2.0 / 3)) : ema.Decay;
    }

    /// <summary>Takes up the model's weights after that optimiser step, counted from 1, with that share of the budget spent.</summary>
    public void Update(long step, double share = 1)
    {
        if (_alike is { } swa && share <= 1 - swa.Share) return;
        Taken++;
        var move = (float)(1 - DecayAt(_alike is null ? step : Taken));
        OpenMpPool.For(_entries.Length, i =>
        {
            var (_, model, average) = _entries[i];
            if (average.dtype == ScalarType.Float32) Move(Floats(average), Floats(model), move);
            else model.bytes.CopyTo(average.bytes);
        });
    }

    /// <summary>Exchanges the model's weights and the average, where there is one; a second call undoes it to the bit.</summary>
    public void Exchange()
    {
        if (Taken == 0) return;
        foreach (var (_, model, average) in _entries)
        {
            byte[] kept = average.bytes.ToArray();
            model.bytes.CopyTo(average.bytes);
            kept.CopyTo(model.bytes);
        }
    }

    /// <summary>Puts the average, where there is one, into the model.</summary>
    public void CopyToModel()
    {
        if (Taken == 0) return;
        foreach (var (_, model, average) in _entries) average.bytes.CopyTo(model.bytes);
    }

    void ITrainingState.Restore(Func<string, long[], Tensor?> saved, string? text)
    {
        foreach (var (key, _, average) in _entries)
        {
            var value = saved(key, average.shape)
                ?? throw new InvalidDataException($"The checkpoint holds no average of '{key}'. Delete it to train from the start.");
            value.bytes.CopyTo(average.bytes);
        }
        Taken = long.Parse(text ?? "0", CultureInfo.InvariantCulture);
    }

    static void Move(Span<float> average, ReadOnlySpan<float> model, float by)
    {
        var to = MemoryMarshal.Cast<float, Vector<float>>(average);
        var from = MemoryMarshal.Cast<float, Vector<float>>(model);
        for (var i = 0; i < to.Length; i++) to[i] += (from[i] - to[i]) * by;
        for (var i = to.Length * Vector<float>.Count; i < average.Length; i++) average[i] += (model[i] - average[i]) * by;
    }

    static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>Frees the average.</summary>
    public void Dispose()
    {
        foreach (var (_, _, average) in _entries) average.Dispose();
    }
}
