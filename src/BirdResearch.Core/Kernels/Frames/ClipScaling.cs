using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>What is done to a clip's features as a whole, each clip by itself; clips are the first axis of contiguous float32 tensors on the CPU.</summary>
public static unsafe class ClipScaling
{
    // Numbers summed in single precision before they join a double: the order of addition then costs nothing.
    const int Block = 2048;

    /// <summary>Raises what lies more than <paramref name="range"/> below the clip's peak to there, in place.</summary>
    public static void LiftToFloor(Tensor features, double range) => EachClip(features, features, (from, to, length) =>
    {
        var floor = Peak(from, length) - (float)range;
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) Vector.Max(Vector.Load(from + i), new Vector<float>(floor)).Store(to + i);
        for (; i < length; i++) to[i] = Math.Max(from[i], floor);
    });

    /// <summary>Each clip with mean 0, divided by its standard deviation plus <paramref name="epsilon"/>; a constant clip is exactly 0.</summary>
    public static Tensor Standardised(Tensor features, double epsilon)
    {
        var result = empty_like(features);
        EachClip(features, result, (from, to, length) =>
        {
            var peak = Peak(from, length); // comes off first, which changes no result but makes a constant clip exactly 0
            var mean = (float)(Sum(from, length, peak, 0, false) / length);
            Shift(from, to, length, peak, mean, (float)(1 / (Math.Sqrt(Sum(from, length, peak, mean, true) / length) + epsilon)));
        });
        return result;
    }

    delegate void ClipWork(float* from, float* to, int length);

    static void EachClip(Tensor source, Tensor target, ClipWork work)
    {
        if (source.dtype != ScalarType.Float32 || source.device_type != DeviceType.CPU || !source.is_contiguous())
            throw new ArgumentException($"Clips are scaled as contiguous float32 tensors on the CPU, not as {source}.");
        if (source.numel() == 0) return;
        var clips = source.shape[0];
        var length = checked((int)(source.numel() / clips));
        float* from = TensorMemory.First(source), to = TensorMemory.First(target);
        OpenMpPool.For((int)clips, clip => work(from + (long)clip * length, to + (long)clip * length, length));
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float Peak(float* values, int length)
    {
        var width = Vector<float>.Count;
        var lowest = new Vector<float>(float.NegativeInfinity);
        Vector<float> a = lowest, b = lowest, c = lowest, d = lowest;
        var i = 0;
        for (; i <= length - 4 * width; i += 4 * width)
        {
            a = Vector.Max(a, Vector.Load(values + i));
            b = Vector.Max(b, Vector.Load(values + i + width));
            c = Vector.Max(c, Vector.Load(values + i + 2 * width));
            d = Vector.Max(d, Vector.Load(values + i + 3 * width));
        }
        a = Vector.Max(Vector.Max(a, b), Vector.Max(c, d));
        var peak = float.NegativeInfinity;
        for (var lane = 0; lane < width; lane++) peak = Math.Max(peak, a[lane]);
        for (; i < length; i++) peak = Math.Max(peak, values[i]);
        return peak;
    }

    /// <summary>Sum of (x - first) - second, or of its squares.</summary>
    static double Sum(float* values, int length, float first, float second, bool squared)
    {
        var sum = 0.0;
        for (var at = 0; at < length; at += Block) sum += ShortSum(values + at, Math.Min(Block, length - at), first, second, squared);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float ShortSum(float* values, int length, float first, float second, bool squared)
    {
        var width = Vector<float>.Count;
        Vector<float> less = new(first), lesser = new(second);
        Vector<float> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= length - 4 * width; i += 4 * width)
        {
            Vector<float> p = Vector.Load(values + i) - less - lesser, q = Vector.Load(values + i + width) - less - lesser;
            Vector<float> r = Vector.Load(values + i + 2 * width) - less - lesser, s = Vector.Load(values + i + 3 * width) - less - lesser;
            a += squared ? p * p : p;
            b += squared ? q * q : q;
            c += squared ? r * r : r;
            d += squared ? s * s : s;
        }
        var sum = Vector.Sum(a + b + (c + d));
        for (; i < length; i++)
        {
            var x = values[i] - first - second;
            sum += squared ? x * x : x;
        }
        return sum;
    }

    /// <summary>((x - first) - second) * factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Shift(float* from, float* to, int length, float first, float second, float factor)
    {
        Vector<float> less = new(first), lesser = new(second), times = new(factor);
        var i = 0;
        for (; i <= length - Vector<float>.Count; i += Vector<float>.Count) ((Vector.Load(from + i) - less - lesser) * times).Store(to + i);
        for (; i < length; i++) to[i] = (from[i] - first - second) * factor;
    }
}
