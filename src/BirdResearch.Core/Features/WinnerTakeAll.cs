using System.Numerics;
using System.Runtime.InteropServices;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Picks the k largest of n activations: exactly k of them, and of equal ones those with the lowest index. NaN is taken as larger than
/// any number, so that a diverged activation is kept and seen.
/// </summary>
public static class WinnerTakeAll
{
    const int NumbersAtOnce = 1 << 15;

    /// <summary>(..., n) activations to (..., k) int64 indices, ascending. In C# for float32 on the CPU, else with torch.</summary>
    public static Tensor Indices(Tensor activations, int k)
    {
        if (activations.device_type != TorchSharp.DeviceType.CPU || activations.dtype != ScalarType.Float32) return Sorted(activations, k);
        using var scope = NewDisposeScope();
        var rows = activations.contiguous();
        var n = (int)rows.shape[^1];
        var shape = rows.shape;
        shape[^1] = k;
        var indices = empty(shape, dtype: ScalarType.Int64);
        SelectOnAllCores(rows, indices, n, k);
        return indices.MoveToOuterDisposeScope();
    }

    static unsafe void SelectOnAllCores(Tensor rows, Tensor indices, int n, int k)
    {
        fixed (byte* firstRow = rows.bytes, firstIndex = indices.bytes)
        {
            var values = (float*)firstRow;
            var winners = (long*)firstIndex;
            var contests = rows.numel() / n;
            var atOnce = Math.Max(1, NumbersAtOnce / n);
            OpenMpPool.For((int)((contests + atOnce - 1) / atOnce), part =>
            {
                var first = (long)part * atOnce;
                var count = (int)Math.Min(atOnce, contests - first);
                Select(new ReadOnlySpan<float>(values + (first * n), count * n), n, k, new Span<long>(winners + (first * k), count * k));
            });
        }
        GC.KeepAlive((rows, indices));
    }

    /// <summary>The slow twin of <see cref="Indices"/>, by a stable sort; for any device and precision.</summary>
    public static Tensor Sorted(Tensor activations, int k)
    {
        using var scope = NewDisposeScope();
        var (_, order) = activations.sort(dim: -1, descending: true, stable: true);
        var (ascending, _) = order.narrow(-1, 0, k).sort(dim: -1);
        return ascending.MoveToOuterDisposeScope();
    }

    /// <summary>Rows of <paramref name="n"/> activations, one after the other, to rows of <paramref name="k"/> ascending indices.</summary>
    static void Select(ReadOnlySpan<float> activations, int n, int k, Span<long> winners)
    {
        var keys = new int[n];
        for (int from = 0, to = 0; from < activations.Length; from += n, to += k)
        {
            ToOrderedKeys(activations.Slice(from, n), keys);
            var (threshold, ties) = KthLargest(keys, k);
            Collect(keys, threshold, ties, winners.Slice(to, k));
        }
    }

    // A float's bits order like an integer once those of negative numbers are flipped; adding 0 makes -0 equal to 0.
    static void ToOrderedKeys(ReadOnlySpan<float> values, Span<int> keys)
    {
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = new Vector<float>(values[i..]) + Vector<float>.Zero;
            var bits = Vector.AsVectorInt32(value);
            var ordered = bits ^ (Vector.ShiftRightArithmetic(bits, 31) & new Vector<int>(int.MaxValue));
            Vector.ConditionalSelect(Vector.Equals(value, value), ordered, new Vector<int>(int.MaxValue)).CopyTo(keys[i..]);
        }
        for (; i < values.Length; i++)
        {
            var bits = BitConverter.SingleToInt32Bits(values[i] + 0f);
            keys[i] = float.IsNaN(values[i]) ? int.MaxValue : bits ^ ((bits >> 31) & int.MaxValue);
        }
    }

    /// <summary>A threshold that at least k keys reach, and how many of the keys equal to it are to be taken.</summary>
    static (int Threshold, int Ties) KthLargest(ReadOnlySpan<int> keys, int k)
    {
        long low = int.MinValue, high = int.MaxValue;   // at least k keys reach low; fewer than k exceed high
        while (low < high)
        {
            var middle = (low + high + 1) >> 1;
            var reached = CountAtLeast(keys, (int)middle);
            if (reached == k) return ((int)middle, k);
            if (reached > k) low = middle;
            else high = middle - 1;
        }
        return ((int)low, k - (low == int.MaxValue ? 0 : CountAtLeast(keys, (int)low + 1)));
    }

    static int CountAtLeast(ReadOnlySpan<int> keys, int threshold)
    {
        var vectors = MemoryMarshal.Cast<int, Vector<int>>(keys);
        var (even, odd, limit) = (Vector<int>.Zero, Vector<int>.Zero, new Vector<int>(threshold));
        var i = 0;
        for (; i < vectors.Length - 1; i += 2)
        {
            even -= Vector.GreaterThanOrEqual(vectors[i], limit);   // true is -1
            odd -= Vector.GreaterThanOrEqual(vectors[i + 1], limit);
        }
        var count = Vector.Sum(even + odd);
        for (i *= Vector<int>.Count; i < keys.Length; i++)
            if (keys[i] >= threshold) count++;
        return count;
    }

    static void Collect(ReadOnlySpan<int> keys, int threshold, int ties, Span<long> winners)
    {
        var taken = 0;
        for (var i = 0; taken < winners.Length; i++)
            if (keys[i] > threshold || (keys[i] == threshold && ties-- > 0)) winners[taken++] = i;
    }
}
