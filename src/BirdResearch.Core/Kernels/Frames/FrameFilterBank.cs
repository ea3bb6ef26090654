using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// Frames of sound to the outputs of a filter bank in one pass that stays in the caches: cut, window, real FFT, power and filters, as
/// many frames at once as a vector has lanes, threaded over groups of frames. The result depends neither on the number of threads nor
/// on the clips beside.
/// </summary>
public sealed unsafe class FrameFilterBank
{
    readonly FramePlan _plan;
    readonly BatchedFft _fft;
    readonly float[] _window;
    readonly float _smallest, _factor, _offset;
    readonly float[] _weights;                              // every filter's, one after the other
    readonly (int First, int Count, int Weights)[] _filters;

    /// <param name="plan">What to compute.</param>
    public FrameFilterBank(FramePlan plan)
    {
        (_plan, _fft) = (plan, new BatchedFft(plan.Fft));
        _window = [.. plan.Window.Select(w => (float)w)];
        if (plan.Logarithm is { } logarithm)
            (_smallest, _factor, _offset) = ((float)logarithm.Smallest, (float)logarithm.Factor, (float)logarithm.Offset);
        var bins = plan.Fft / 2 + 1;
        var filters = plan.Weights.Length / bins;
        if (filters * bins != plan.Weights.Length || plan.Window.Length > plan.Fft)
            throw new ArgumentException($"A filter bank over {bins} bins has no {plan.Weights.Length} weights, nor a window of {plan.Window.Length}.");
        var weights = new List<float>();
        _filters = new (int, int, int)[filters];
        var scale = plan.Magnitude ? 0.5 : 0.25; // the FFT gives four times the power
        for (var filter = 0; filter < filters; filter++)
        {
            var used = Enumerable.Range(0, bins).Where(bin => plan.Weights[bin * filters + filter] != 0).ToArray();
            _filters[filter] = used.Length == 0 ? (0, 0, 0) : (used[0], used[^1] - used[0] + 1, weights.Count);
            for (var bin = 0; bin < _filters[filter].Count; bin++)
                weights.Add((float)(scale * plan.Weights[(used[0] + bin) * filters + filter]));
        }
        _weights = [.. weights];
    }

    /// <summary>Rows of the result: the filters, and the energy behind them where it is asked for.</summary>
    public int Rows => _filters.Length + (_plan.Energy == FrameEnergy.None ? 0 : 1);

    /// <summary>The first frames of every clip: float32 (B, T) to (B, <see cref="Rows"/>, frames).</summary>
    public Tensor Apply(Tensor sound, int frames)
    {
        if (sound.dim() != 2 || sound.dtype != ScalarType.Float32 || sound.device_type != DeviceType.CPU)
            throw new ArgumentException($"A frame filter bank takes float32 sound (clips, samples) on the CPU, not {sound}.");
        using var scope = NewDisposeScope();
        sound = sound.contiguous();
        var (clips, samples) = (checked((int)sound.shape[0]), checked((int)sound.shape[1]));
        var output = empty(clips, Rows, frames);
        var groups = (frames + Vector<float>.Count - 1) / Vector<float>.Count;
        float* source = TensorMemory.First(sound), target = TensorMemory.First(output);
        OpenMpPool.For(clips * groups, i =>
        {
            var (clip, first) = (i / groups, i % groups * Vector<float>.Count);
            var count = Math.Min(Vector<float>.Count, frames - first);
            Group(source + (long)clip * samples, samples, first, count, target + (long)clip * Rows * frames, frames);
        });
        GC.KeepAlive(sound);
        return output.MoveToOuterDisposeScope();
    }

    void Group(float* sound, int samples, int first, int count, float* output, int frames)
    {
        var lanes = Vector<float>.Count;
        using var room = new Room((2L * _plan.Fft + 1 + _window.Length) * lanes);
        float* rows = room.Take(_plan.Fft * lanes), powers = room.Take((_plan.Fft / 2 + 1) * lanes);
        Cut(sound, samples, first, count, rows, room.Take(_window.Length * lanes));
        var energy = Shape(rows);
        new Span<float>(rows + _window.Length * lanes, (_plan.Fft - _window.Length) * lanes).Clear();
        _fft.Powers(rows, powers);
        if (_plan.Magnitude)
            for (var bin = 0; bin <= _plan.Fft / 2; bin++) Vector.SquareRoot(Vector.Load(powers + bin * lanes)).Store(powers + bin * lanes);

        for (var filter = 0; filter < _filters.Length; filter++)
            Put(Logarithm(Filter(filter, powers)), output + (long)filter * frames + first, count);
        if (_plan.Energy != FrameEnergy.None) Put(energy, output + (long)_filters.Length * frames + first, count);
    }

    Vector<float> Logarithm(Vector<float> x) => _plan.Logarithm is null
        ? x
        : Vector.FusedMultiplyAdd(Vector.Log(Vector.Max(x, new Vector<float>(_smallest))), new Vector<float>(_factor), new Vector<float>(_offset));

    Vector<float> Filter(int filter, float* powers)
    {
        var (first, count, at) = _filters[filter];
        var sum = Vector<float>.Zero;
        var weights = _weights.AsSpan(at, count);
        var power = powers + first * Vector<float>.Count;
        foreach (var weight in weights)
        {
            sum = Vector.FusedMultiplyAdd(Vector.Load(power), new Vector<float>(weight), sum);
            power += Vector<float>.Count;
        }
        return sum;
    }

    static void Put(Vector<float> values, float* at, int count)
    {
        if (count == Vector<float>.Count)
        {
            values.Store(at);
            return;
        }
        for (var lane = 0; lane < count; lane++) at[lane] = values[lane];
    }

    /// <summary>Lays the frames side by side, sample by sample; lanes without a frame repeat the last.</summary>
    void Cut(float* sound, int samples, int first, int count, float* rows, float* spare)
    {
        var (lanes, length) = (Vector<float>.Count, _window.Length);
        var starts = stackalloc float*[lanes];
        for (var lane = 0; lane < lanes; lane++)
        {
            if (lane >= count)
            {
                starts[lane] = starts[count - 1];
                continue;
            }
            var start = (long)(first + lane) * _plan.Hop - _plan.Lead;
            if (start >= 0 && start + length <= samples)
            {
                starts[lane] = sound + start;
                continue;
            }
            starts[lane] = spare + lane * length;
            for (var i = 0; i < length; i++) starts[lane][i] = Sample(sound, samples, start + i);
        }
        Interleave.Apply(starts, length, rows);
    }

    float Sample(float* sound, long samples, long i)
    {
        if (i >= 0 && i < samples) return sound[i];
        return _plan.Edge switch
        {
            FrameEdge.Reflect => sound[i < 0 ? -i : 2 * (samples - 1) - i],
            FrameEdge.Mirror => sound[i < 0 ? -1 - i : 2 * samples - 1 - i],
            FrameEdge.Replicate => sound[i < 0 ? 0 : samples - 1],
            FrameEdge.Circular => sound[(i + samples) % samples],
            _ => 0,
        };
    }

    /// <summary>Mean, pre-emphasis and window, in place; gives the energy that is asked for.</summary>
    Vector<float> Shape(float* rows)
    {
        var (lanes, length) = (Vector<float>.Count, _window.Length);
        Vector<float> mean = default, energy = default;
        if (_plan.RemoveMean)
        {
            for (var i = 0; i < length; i++) mean += Vector.Load(rows + i * lanes);
            mean /= length;
        }
        var (before, emphasis) = (Vector.Load(rows) - mean, (float)_plan.PreEmphasis);
        var (raw, windowed) = (_plan.Energy == FrameEnergy.Raw, _plan.Energy == FrameEnergy.Windowed);
        for (var i = 0; i < length; i++)
        {
            var now = Vector.Load(rows + i * lanes) - mean;
            var shaped = (now - before * emphasis) * _window[i];
            if (raw) energy += now * now;
            if (windowed) energy += shaped * shaped;
            shaped.Store(rows + i * lanes);
            before = now;
        }
        return energy;
    }
}
