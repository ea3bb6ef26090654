using System.Runtime.InteropServices;
using BirdResearch.Export.Graph;

namespace BirdResearch.Export;

/// <summary>Integers with what they stand for.</summary>
static class QuantisedNodes
{
    /// <summary>A map as unsigned 8-bit codes and back.</summary>
    public static OnnxValue Coded(this OnnxGraph graph, OnnxValue map, ValueRange range)
    {
        var (scale, zero) = (graph.Float(range.Scale), graph.Constant(new OnnxConstant(OnnxType.UInt8, [], [range.Zero])));
        return graph.Add("DequantizeLinear", [graph.Add("QuantizeLinear", [map, scale, zero]), scale, zero]);
    }

    /// <summary>Kernels (out, in, height, width) as signed 8-bit codes, symmetric about zero, with a scale for each that goes out.</summary>
    public static OnnxValue Weights(this OnnxGraph graph, OnnxConstant weights, float[] scales)
    {
        var numbers = Numbers(weights);
        var (codes, each) = (new byte[numbers.Length], numbers.Length / scales.Length);
        for (var i = 0; i < codes.Length; i++)
            codes[i] = (byte)(sbyte)Math.Clamp(MathF.Round(numbers[i] / scales[i / each]), -sbyte.MaxValue, sbyte.MaxValue);
        var zeros = graph.Constant(new OnnxConstant(OnnxType.Int8, [scales.Length], new byte[scales.Length]));
        return graph.Add("DequantizeLinear",
            [graph.Constant(new OnnxConstant(OnnxType.Int8, weights.Shape, codes)), graph.Floats(scales, scales.Length), zeros], ("axis", 0L));
    }

    /// <summary>Biases (out) as 32-bit codes in steps of the product of weight and map, as sums of products are.</summary>
    public static OnnxValue Biases(this OnnxGraph graph, OnnxConstant biases, float[] scales, float map)
    {
        var steps = scales.Select(s => s * map).ToArray();
        int[] codes = [.. Numbers(biases).ToArray().Zip(steps, (b, step) => (int)Math.Round((double)b / step))];
        return graph.Add("DequantizeLinear",
            [graph.Constant(new OnnxConstant(OnnxType.Int32, biases.Shape, MemoryMarshal.AsBytes<int>(codes).ToArray())), graph.Floats(steps, steps.Length)],
            ("axis", 0L));
    }

    /// <summary>The step for each kernel that goes out: its largest weight has the largest code.</summary>
    public static float[] ScalesOf(OnnxConstant weights)
    {
        var numbers = Numbers(weights);
        var scales = new float[weights.Shape[0]];
        var each = numbers.Length / scales.Length;
        for (var i = 0; i < numbers.Length; i++) scales[i / each] = Math.Max(scales[i / each], Math.Abs(numbers[i]));
        foreach (ref var scale in scales.AsSpan()) scale = scale > 0 ? scale / sbyte.MaxValue : 1;
        return scales;
    }

    /// <summary>A float32 constant's numbers.</summary>
    public static ReadOnlySpan<float> Numbers(OnnxConstant constant) => MemoryMarshal.Cast<byte, float>(constant.Bytes);
}
