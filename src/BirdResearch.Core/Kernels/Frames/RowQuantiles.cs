using System.Buffers;
using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>Order statistics of the last axis of contiguous float32 tensors on the CPU, row by row.</summary>
public static unsafe class RowQuantiles
{
    /// <summary>
    /// Each row less a value between two of its sorted numbers: the one at <paramref name="index"/>, and from there
    /// <paramref name="share"/> of the way to the next. A row with a NaN is NaN throughout. A new tensor.
    /// </summary>
    public static Tensor Subtracted(Tensor features, int index, float share)
    {
        if (features.dtype != ScalarType.Float32 || features.device_type != DeviceType.CPU || !features.is_contiguous())
            throw new ArgumentException($"Quantiles of rows are taken of contiguous float32 tensors on the CPU, not of {features}.");
        var length = (int)features.shape[^1];
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, length);
        var result = empty_like(features);
        float* from = TensorMemory.First(features), to = TensorMemory.First(result);
        OpenMpPool.For(checked((int)(features.numel() / length)), row =>
            Subtract(new ReadOnlySpan<float>(from + ((long)row * length), length), new Span<float>(to + ((long)row * length), length), index, share));
        GC.KeepAlive(features);
        return result;
    }

    static void Subtract(ReadOnlySpan<float> row, Span<float> target, int index, float share)
    {
        var sorted = ArrayPool<float>.Shared.Rent(row.Length);
        row.CopyTo(sorted);
        sorted.AsSpan(0, row.Length).Sort();                     // NaN comes first
        var upper = sorted[Math.Min(index + 1, row.Length - 1)];
        var value = float.IsNaN(sorted[0]) ? float.NaN : sorted[index] + ((upper - sorted[index]) * share);
        ArrayPool<float>.Shared.Return(sorted);
        var i = 0;
        for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(row[i..]) - new Vector<float>(value)).CopyTo(target[i..]);
        for (; i < row.Length; i++) target[i] = row[i] - value;
    }
}
