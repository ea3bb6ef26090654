using BirdResearch.Export.Graph;
using BirdResearch.Kernels;
using BirdResearch.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>Layers on tokens (B, L, width), whose channels lie together. Weights are turned at export, so that every product is plain.</summary>
static class TokenNodes
{
    /// <summary>A linear layer times a factor: (..., inputs) -> (..., outputs).</summary>
    public static OnnxValue Project(this OnnxGraph graph, OnnxValue tokens, Dense layer, double factor = 1) =>
        graph.Project(tokens, layer.Weight, layer.Bias, factor);

    /// <summary>The product with a weight (outputs, inputs), and a bias where there is one, both times a factor.</summary>
    public static OnnxValue Project(this OnnxGraph graph, OnnxValue tokens, Tensor weight, Tensor? bias, double factor = 1)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var product = graph.MatMul(tokens, graph.Tensor(weight.t().Times(factor)));
        return bias is null ? product : graph.Plus(product, graph.Tensor(bias.Times(factor)));
    }

    /// <summary>A layer norm over the channels.</summary>
    public static OnnxValue Norm(this OnnxGraph graph, OnnxValue tokens, LayerNorm norm) =>
        graph.Add("LayerNormalization", [tokens, graph.Tensor(norm.weight!), graph.Tensor(norm.bias!)], ("axis", -1), ("epsilon", (float)norm.eps));

    /// <summary>Mean of tokens <paramref name="first"/> up to, not with, <paramref name="end"/>: (B, L, width) -> (B, width).</summary>
    public static OnnxValue MeanToken(this OnnxGraph graph, OnnxValue tokens, long first, long end) =>
        graph.Add("ReduceMean", [graph.Slice(tokens, 1, first, end), graph.Integers(1)], ("keepdims", 0));

    /// <summary>Tokens of zeros before and behind.</summary>
    public static OnnxValue PadTokens(this OnnxGraph graph, OnnxValue tokens, long before, long behind) =>
        before + behind == 0 ? tokens : graph.Add("Pad", [tokens, graph.Integers(0, before, 0, 0, behind, 0)]);

    /// <summary>
    /// A causal depthwise convolution, the token itself last, as a sum of shifted products: in reverse it reads each token and those after it.
    /// onnxruntime's Conv would take each channel for a product of its own.
    /// </summary>
    public static OnnxValue Convolve(this OnnxGraph graph, OnnxValue tokens, CausalConvolution layer, bool reverse, long length)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (kernel, before) = (layer.Kernel, layer.Kernel - 1);
        var padded = graph.PadTokens(tokens, reverse ? 0 : before, reverse ? before : 0);
        var sum = layer.Bias is { } bias ? graph.Tensor(bias) : graph.Float(0);
        for (var tap = 0L; tap < kernel; tap++)
        {
            var first = reverse ? before - tap : tap;
            var weight = graph.Tensor(layer.Weight.select(2, tap).flatten());
            sum = graph.Plus(graph.Times(graph.Slice(padded, 1, first, first + length), weight), sum);
        }
        return sum;
    }
}
