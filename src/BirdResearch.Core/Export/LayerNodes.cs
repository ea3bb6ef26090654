using BirdResearch.Export.Graph;
using BirdResearch.Kernels;
using BirdResearch.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>Layers that every family uses.</summary>
static class LayerNodes
{
    /// <summary>A linear layer of vectors (B, inputs), after rows were scaled and shifted: y = W (x scale + shift) + b.</summary>
    public static OnnxValue Linear(this OnnxGraph graph, OnnxValue x, Linear layer, (Tensor Scale, Tensor Shift)? norm = null) =>
        graph.Linear(x, layer.weight!, layer.bias, norm);

    /// <summary>The same with a given weight (outputs, inputs), whose axes behind the second have one element each, and a bias (outputs).</summary>
    public static OnnxValue Linear(this OnnxGraph graph, OnnxValue x, Tensor weight, Tensor? bias, (Tensor Scale, Tensor Shift)? norm = null)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        weight = weight.flatten(1).to(ScalarType.Float64);                             // (outputs, inputs)
        bias = bias?.to(ScalarType.Float64) ?? zeros(weight.shape[0], ScalarType.Float64);
        if (norm is var (scale, shift)) (weight, bias) = (weight * scale, bias.Plus(weight.mv(shift)));
        return graph.Add("Gemm", [x, graph.Tensor(weight), graph.Tensor(bias)], ("transB", 1L));
    }

    /// <summary>A pointwise nonlinearity.</summary>
    public static OnnxValue Activate(this OnnxGraph graph, OnnxValue x, Activation activation) => activation switch
    {
        Activation.None => x,
        Activation.Relu => graph.Add("Relu", [x]),
        Activation.Silu => graph.Add("Mul", [x, graph.Add("Sigmoid", [x])]),
        Activation.Gelu => graph.Add("Gelu", [x]),
        Activation.Hardswish => graph.Add("HardSwish", [x]),
        Activation.Sigmoid => graph.Add("Sigmoid", [x]),
        Activation.Hardsigmoid => graph.Add("HardSigmoid", [x], ("alpha", 1f / 6), ("beta", 0.5f)),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "No such activation."),
    };
}
