using System.Numerics;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>A batch of series (B, d, T) of which few cells are not zero, as the rows of those cells, frame by frame, and their values.</summary>
public sealed unsafe class SparseSeries
{
    readonly int[] _starts;         // (B, T + 1): where each frame's cells begin in its clip's list
    readonly int[][] _rows;         // per clip, frame by frame, ascending within a frame
    readonly float[][] _values;

    SparseSeries(Tensor series)
    {
        (Clips, Rows, Frames) = ((int)series.shape[0], (int)series.shape[1], (int)series.shape[2]);
        _starts = new int[Clips * (Frames + 1)];
        (_rows, _values) = (new int[Clips][], new float[Clips][]);
    }

    /// <summary>Clips B.</summary>
    public int Clips { get; }

    /// <summary>Rows d.</summary>
    public int Rows { get; }

    /// <summary>Frames T.</summary>
    public int Frames { get; }

    /// <summary>Cells that are not zero.</summary>
    public long Cells => _rows.Sum(r => (long)r.Length);

    /// <summary>
    /// The cells of a contiguous float32 series on the CPU, (B, d, T); null where more than <paramref name="mostShare"/> of the first clip's
    /// cells, or of all, are not zero.
    /// </summary>
    public static SparseSeries? Of(Tensor series, double mostShare)
    {
        if (series.dtype != ScalarType.Float32 || series.device_type != DeviceType.CPU || series.dim() != 3 || !series.is_contiguous()) return null;
        if (series.numel() == 0 || series.shape[1] * series.shape[2] > int.MaxValue) return null;
        var sparse = new SparseSeries(series);
        var cells = TensorMemory.First(series);
        var perClip = (long)sparse.Rows * sparse.Frames;
        var most = mostShare * perClip;
        if (sparse.Count(cells, 0) > most) return null;
        OpenMpPool.For(sparse.Clips, clip =>
        {
            if (clip > 0) sparse.Count(cells + (clip * perClip), clip);
        });
        if (Enumerable.Range(0, sparse.Clips).Sum(clip => (long)sparse._starts[(clip * (sparse.Frames + 1)) + sparse.Frames]) > most * sparse.Clips) return null;
        OpenMpPool.For(sparse.Clips, clip => sparse.Collect(cells + (clip * perClip), clip));
        GC.KeepAlive(series);
        return sparse;
    }

    /// <summary>The cells of one frame of a clip.</summary>
    internal ReadOnlySpan<int> RowsOf(int clip, int frame)
    {
        var start = (clip * (Frames + 1)) + frame;
        return _rows[clip].AsSpan(_starts[start], _starts[start + 1] - _starts[start]);
    }

    /// <summary>Their values.</summary>
    internal ReadOnlySpan<float> ValuesOf(int clip, int frame)
    {
        var start = (clip * (Frames + 1)) + frame;
        return _values[clip].AsSpan(_starts[start], _starts[start + 1] - _starts[start]);
    }

    /// <summary>Cells before each frame; returns the clip's cells. A clip may have more than it is asked for, so it stops at none.</summary>
    int Count(float* cells, int clip)
    {
        var counts = _starts.AsSpan(clip * (Frames + 1), Frames + 1);
        counts.Clear();
        var width = Vector<float>.Count;
        fixed (int* count = counts)
            for (var row = 0; row < Rows; row++)
            {
                var values = cells + ((long)row * Frames);
                var t = 0;
                for (; t <= Frames - width; t += width)
                    (Vector.Load(count + t) - Vector.OnesComplement(Vector.Equals(Vector.Load(values + t), Vector<float>.Zero))).Store(count + t);
                for (; t < Frames; t++) if (values[t] != 0) count[t]++;
            }
        var sum = 0;
        for (var t = 0; t <= Frames; t++) (counts[t], sum) = (sum, sum + counts[t]);
        return counts[Frames];
    }

    void Collect(float* cells, int clip)
    {
        var starts = _starts.AsSpan(clip * (Frames + 1), Frames + 1);
        var (rows, kept) = (_rows[clip], _values[clip]) = (new int[starts[Frames]], new float[starts[Frames]]);
        var next = starts.ToArray();
        for (var row = 0; row < Rows; row++)
        {
            var values = cells + ((long)row * Frames);
            var t = 0;
            for (; t <= Frames - Vector256<float>.Count; t += Vector256<float>.Count)
                for (var set = ~Vector256.Equals(Vector256.Load(values + t), Vector256<float>.Zero).ExtractMostSignificantBits() & 0xFF; set != 0; set &= set - 1)
                    Keep(t + BitOperations.TrailingZeroCount(set));
            for (; t < Frames; t++) if (values[t] != 0) Keep(t);

            void Keep(int frame)
            {
                var place = next[frame]++;
                (rows[place], kept[place]) = (row, values[frame]);
            }
        }
    }
}
