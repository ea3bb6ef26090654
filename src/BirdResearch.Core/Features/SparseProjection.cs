using System.Runtime.Intrinsics;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// The sparse binary projection of a sliding window as sums of a few rows of the mel series, instead of a dense convolution with a kernel
/// that is mostly zero. float32 on the CPU; its slow twin is <see cref="ExpandAndSparsify.Reference"/>.
/// </summary>
sealed unsafe class SparseProjection
{
    const int Block = 16;                   // units whose sums are written side by side: one cache line
    const int Lead = 5;                     // vectors summed at once: their additions do not wait for each other

    static readonly int Width = Vector512<float>.Count, Steps = Lead * Width;

    /// <summary>Variance below which a patch counts as flat: it has no shape, and no unit answers to it.</summary>
    public const double Flat = 1e-8;

    readonly int[] _inputs;                 // (n_output, inputs per unit), index of a cell: band * window + frame
    readonly int _units, _perUnit, _window, _stride;
    readonly PatchScaling _patch;
    Known? _known;

    public SparseProjection(int[] inputs, ExpansionSettings expansion)
    {
        (_inputs, _units, _perUnit) = (inputs, expansion.Outputs, inputs.Length / expansion.Outputs);
        (_window, _stride, _patch) = (expansion.Window, expansion.Stride, expansion.Patch);
    }

    /// <summary>Mel series (B, mels, F) -> (B, T', n_output).</summary>
    public Tensor Apply(Tensor series)
    {
        using var scope = NewDisposeScope();
        var rows = series.contiguous();
        var (clips, mels, frames) = ((int)rows.shape[0], (int)rows.shape[1], (int)rows.shape[2]);
        var steps = 1 + ((frames - _window) / _stride);
        var activations = empty(clips, steps, _units);
        float* from = TensorMemory.First(rows), to = TensorMemory.First(activations);
        var places = Places(frames);
        var length = RowLength(frames);
        var perClip = (mels * _stride * length) + length;
        var phases = zeros(clips, perClip);
        var byPhase = TensorMemory.First(phases);
        var (means, scales) = (new float[clips * steps], new float[clips * steps]);
        OpenMpPool.For(clips, clip =>
        {
            var source = new ReadOnlySpan<float>(from + ((long)clip * mels * frames), mels * frames);
            ToPhases(source, mels, frames, length, new Span<float>(byPhase + ((long)clip * perClip), perClip));
            PatchFigures(source, mels, frames, means.AsSpan(clip * steps, steps), scales.AsSpan(clip * steps, steps));
        });
        var blocks = (_units + Block - 1) / Block;
        OpenMpPool.For(clips * blocks, task =>
        {
            var (clip, block) = (task / blocks, task % blocks);
            Sum(byPhase + ((long)clip * perClip), places, block * Block, Math.Min(_units, (block + 1) * Block), steps,
                means.AsSpan(clip * steps, steps), scales.AsSpan(clip * steps, steps), to + ((long)clip * steps * _units));
        });
        GC.KeepAlive((rows, phases));
        return activations.MoveToOuterDisposeScope();
    }

    int RowLength(int frames) => ((frames + _stride - 1) / _stride) + (Steps);

    /// <summary>Where each input's row begins in <see cref="ToPhases"/>, so that step t finds its value t places on.</summary>
    int[] Places(int frames)
    {
        if (_known is { } known && known.Frames == frames) return known.Places;
        var length = RowLength(frames);
        var places = new int[_inputs.Length];
        for (var i = 0; i < places.Length; i++)
        {
            var (band, frame) = (_inputs[i] / _window, _inputs[i] % _window);
            places[i] = (((band * _stride) + (frame % _stride)) * length) + (frame / _stride);
        }
        _known = new Known(frames, places);
        return places;
    }

    /// <summary>The series with every stride-th frame side by side: row band * stride + phase, padded so that whole vectors can be read.</summary>
    void ToPhases(ReadOnlySpan<float> series, int mels, int frames, int length, Span<float> phases)
    {
        for (var band = 0; band < mels; band++)
            for (var phase = 0; phase < _stride; phase++)
            {
                var row = phases.Slice(((band * _stride) + phase) * length, length);
                for (int frame = phase, place = 0; frame < frames; frame += _stride, place++) row[place] = series[(band * frames) + frame];
            }
    }

    /// <summary>What is taken off each step's sums, per input, and what they are multiplied by.</summary>
    void PatchFigures(ReadOnlySpan<float> series, int mels, int frames, Span<float> means, Span<float> scales)
    {
        var weight = ExpansionKernels.WeightOf(_perUnit);
        if (_patch == PatchScaling.Raw)
        {
            means.Clear();
            scales.Fill(weight);
            return;
        }
        Span<double> sums = new double[frames], squares = new double[frames];
        for (var band = 0; band < mels; band++)
            for (var frame = 0; frame < frames; frame++)
            {
                double value = series[(band * frames) + frame];
                sums[frame] += value;
                squares[frame] += value * value;
            }
        var cells = (double)mels * _window;
        for (var step = 0; step < means.Length; step++)
        {
            var (sum, square) = (0.0, 0.0);
            for (var frame = step * _stride; frame < (step * _stride) + _window; frame++) (sum, square) = (sum + sums[frame], square + squares[frame]);
            var mean = sum / cells;
            var variance = (square / cells) - (mean * mean);
            means[step] = (float)mean;
            scales[step] = variance <= Flat ? 0 : _patch == PatchScaling.Centred ? weight : (float)(weight / Math.Sqrt(variance * cells));
        }
    }

    void Sum(float* source, int[] places, int first, int end, int steps, Span<float> means, Span<float> scales, float* activations)
    {
        var sums = stackalloc float[Block * Steps];
        float* offs = stackalloc float[Steps], factors = stackalloc float[Steps];
        for (var t = 0; t < steps; t += Steps)
        {
            var count = Math.Min(Steps, steps - t);
            for (var step = 0; step < count; step++) (offs[step], factors[step]) = (means[t + step] * _perUnit, scales[t + step]);
            for (var unit = first; unit < end; unit++)
            {
                Vector512<float> a = default, b = default, c = default, d = default, e = default;
                for (int i = unit * _perUnit, last = i + _perUnit; i < last; i++)
                {
                    var row = source + places[i] + t;
                    a += Vector512.Load(row);
                    b += Vector512.Load(row + Width);
                    c += Vector512.Load(row + (2 * Width));
                    d += Vector512.Load(row + (3 * Width));
                    e += Vector512.Load(row + (4 * Width));
                }
                var sum = sums + ((unit - first) * Steps);
                Finish(a, 0);
                Finish(b, Width);
                Finish(c, 2 * Width);
                Finish(d, 3 * Width);
                Finish(e, 4 * Width);

                void Finish(Vector512<float> value, int at) => ((value - Vector512.Load(offs + at)) * Vector512.Load(factors + at)).Store(sum + at);
            }
            for (var step = 0; step < count; step++)
            {
                float* place = activations + ((long)(t + step) * _units), sum = sums + step;
                for (var unit = first; unit < end; unit++, sum += Steps) place[unit] = *sum;
            }
        }
    }

    sealed record Known(int Frames, int[] Places);
}
