using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>What is done to a clip's features as a whole, each clip by itself; clips are the first axis of contiguous float32 tensors on the CPU.</summary>
public static unsafe class ClipScaling
{
    // Numbers summed in single precision before they join a double: the order of addition then costs nothing.
    const int Block = 1024;

    /// <summary>Raises what lies more than <paramref name="range"/> below the clip's peak to there, in place.</summary>
    public static void LiftToFloor(Tensor features, double range) => EachClip(features, features, (from, to) =>
    {
        var floor = Peak(from) - (float)range;
        var values = Vectors(from);
        var result = Vectors(to);
        for (var i = 0; i < values.Length; i++) result[i] = Vector.Max(values[i], new Vector<float>(floor));
        for (var i = values.Length * Vector<float>.Count; i < from.Length; i++) to[i] = Math.Max(from[i], floor);
    });

    /// <summary>Each clip with mean 0, divided by its standard deviation plus <paramref name="epsilon"/>; a constant clip is exactly 0.</summary>
    public static Tensor Standardised(Tensor features, double epsilon)
    {
        var result = empty_like(features);
        EachClip(features, result, (from, to) =>
        {
            var peak = Peak(from); // comes off first, which changes no result but makes a constant clip exactly 0
            var mean = (float)(Sum(from, peak, false) / from.Length);
            Shift(from, to, peak, mean, 1);
            Shift(to, to, 0, 0, (float)(1 / (Math.Sqrt(Sum(to, 0, true) / to.Length) + epsilon)));
        });
        return result;
    }

    delegate void ClipWork(ReadOnlySpan<float> from, Span<float> to);

    static void EachClip(Tensor source, Tensor target, ClipWork work)
    {
        if (source.dtype != ScalarType.Float32 || source.device_type != DeviceType.CPU || !source.is_contiguous())
            throw new ArgumentException($"Clips are scaled as contiguous float32 tensors on the CPU, not as {source}.");
        var clips = source.shape[0];
        if (source.numel() == 0) return;
        var length = checked((int)(source.numel() / clips));
        float* from = TensorMemory.First(source), to = TensorMemory.First(target);
        OpenMpPool.For((int)clips, clip => work(new(from + (long)clip * length, length), new(to + (long)clip * length, length)));
        GC.KeepAlive(source);
        GC.KeepAlive(target);
    }

    static float Peak(ReadOnlySpan<float> values)
    {
        var vectors = Vectors(values);
        var highest = new Vector<float>(float.NegativeInfinity);
        foreach (var v in vectors) highest = Vector.Max(highest, v);
        var peak = float.NegativeInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++) peak = Math.Max(peak, highest[lane]);
        foreach (var v in values[(vectors.Length * Vector<float>.Count)..]) peak = Math.Max(peak, v);
        return peak;
    }

    static double Sum(ReadOnlySpan<float> values, float less, bool squared)
    {
        var sum = 0.0;
        for (var at = 0; at < values.Length; at += Block)
        {
            var part = values.Slice(at, Math.Min(Block, values.Length - at));
            var vectors = Vectors(part);
            var lanes = Vector<float>.Zero;
            foreach (var v in vectors)
            {
                var x = v - new Vector<float>(less);
                lanes += squared ? x * x : x;
            }
            sum += Vector.Sum(lanes);
            foreach (var v in part[(vectors.Length * Vector<float>.Count)..]) sum += squared ? (v - less) * (v - less) : v - less;
        }
        return sum;
    }

    /// <summary>((x - first) - second) * factor.</summary>
    static void Shift(ReadOnlySpan<float> from, Span<float> to, float first, float second, float factor)
    {
        var values = Vectors(from);
        var result = Vectors(to);
        for (var i = 0; i < values.Length; i++) result[i] = (values[i] - new Vector<float>(first) - new Vector<float>(second)) * factor;
        for (var i = values.Length * Vector<float>.Count; i < from.Length; i++) to[i] = (from[i] - first - second) * factor;
    }

    static ReadOnlySpan<Vector<float>> Vectors(ReadOnlySpan<float> values) => MemoryMarshal.Cast<float, Vector<float>>(values);

    static Span<Vector<float>> Vectors(Span<float> values) => MemoryMarshal.Cast<float, Vector<float>>(values);
}
