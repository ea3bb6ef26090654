using BirdResearch.Export.Graph;

namespace BirdResearch.Export;

/// <summary>Everyday operators as methods of a graph, so that an exporter reads as the formula that it writes.</summary>
static class Operations
{
    /// <summary>Adds; shapes broadcast as everywhere in ONNX.</summary>
    public static OnnxValue Plus(this OnnxGraph graph, OnnxValue a, OnnxValue b) => graph.Add("Add", [a, b]);

    /// <summary>Adds a number to float32 values.</summary>
    public static OnnxValue Plus(this OnnxGraph graph, OnnxValue a, double b) => graph.Add("Add", [a, graph.Float(b)]);

    /// <summary>Takes one off the other.</summary>
    public static OnnxValue Minus(this OnnxGraph graph, OnnxValue a, OnnxValue b) => graph.Add("Sub", [a, b]);

    /// <summary>Multiplies element by element.</summary>
    public static OnnxValue Times(this OnnxGraph graph, OnnxValue a, OnnxValue b) => graph.Add("Mul", [a, b]);

    /// <summary>Multiplies float32 values with a number.</summary>
    public static OnnxValue Times(this OnnxGraph graph, OnnxValue a, double b) => graph.Add("Mul", [a, graph.Float(b)]);

    /// <summary>Matrix product of the last two axes.</summary>
    public static OnnxValue MatMul(this OnnxGraph graph, OnnxValue a, OnnxValue b) => graph.Add("MatMul", [a, b]);

    /// <summary>The larger of each value and a number.</summary>
    public static OnnxValue AtLeast(this OnnxGraph graph, OnnxValue a, double least) => graph.Add("Max", [a, graph.Float(least)]);

    /// <summary>Another shape; one dimension may be -1, and 0 keeps that of the same axis.</summary>
    public static OnnxValue Reshape(this OnnxGraph graph, OnnxValue value, params long[] shape) =>
        graph.Add("Reshape", [value, graph.Integers(shape)]);

    /// <summary>Axes in another order.</summary>
    public static OnnxValue Transpose(this OnnxGraph graph, OnnxValue value, params long[] order) =>
        graph.Add("Transpose", [value], ("perm", order));

    /// <summary>From <paramref name="first"/> up to, not with, <paramref name="end"/> along an axis, every <paramref name="step"/>.</summary>
    public static OnnxValue Slice(this OnnxGraph graph, OnnxValue value, long axis, long first, long end, long step = 1) =>
        graph.Add("Slice", [value, graph.Integers(first), graph.Integers(end), graph.Integers(axis), graph.Integers(step)]);

    /// <summary>Joins along an axis.</summary>
    public static OnnxValue Concat(this OnnxGraph graph, long axis, params OnnxValue[] values) =>
        values.Length == 1 ? values[0] : graph.Add("Concat", values, ("axis", axis));

    /// <summary>Cuts into parts of these lengths along an axis.</summary>
    public static IReadOnlyList<OnnxValue> Split(this OnnxGraph graph, OnnxValue value, long axis, params long[] lengths) =>
        graph.Add("Split", [value, graph.Integers(lengths)], lengths.Length, ("axis", axis));

    /// <summary>A reduction (<c>ReduceMean</c>, <c>ReduceMax</c>, <c>ReduceSum</c>...) that keeps its axes with length 1.</summary>
    public static OnnxValue Reduce(this OnnxGraph graph, string op, OnnxValue value, params long[] axes) =>
        graph.Add(op, [value, graph.Integers(axes)], ("keepdims", 1));

    /// <summary>float32 zeros, or another number, in the shape of a value.</summary>
    public static OnnxValue FilledLike(this OnnxGraph graph, OnnxValue value, float number = 0) =>
        graph.Add("ConstantOfShape", [graph.Add("Shape", [value])], ("value", new OnnxConstant(OnnxType.Float, [1], BitConverter.GetBytes(number))));
}
