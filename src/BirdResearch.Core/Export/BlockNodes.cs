using BirdResearch.Export.Graph;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>The blocks that convolutional networks are chains of.</summary>
static class BlockNodes
{
    /// <summary>The nodes of a block; a kind without an exporter is an error that names it.</summary>
    public static FeatureMap Block(this OnnxGraph graph, FeatureMap x, nn.Module block) => block switch
    {
        Chain chain => graph.Links(x, chain.Links),
        Convolution layer => graph.Convolve(x, layer),
        SeriesConvolution layer => graph.Convolve(x, layer),
        BatchNormAct layer => graph.Norm(x, layer),
        ActivationLayer layer => graph.Activate(x, layer.Activation),
        SqueezeExcite layer => graph.SqueezeExcite(x, layer),
        DepthwiseSeparable mobile => graph.Residual(x, mobile.HasSkip, graph.Links(x, mobile.Branch)),
        InvertedResidual mobile => graph.Residual(x, mobile.HasSkip, graph.Links(x, mobile.Branch)),
        ResNetBlock residual => graph.Sum(graph.Links(x, residual.Branch), graph.Shortcut(x, residual.Shortcut), Activation.Relu),
        ResNetBottleneck residual => graph.Sum(graph.Links(x, residual.Branch), graph.Shortcut(x, residual.Shortcut), Activation.Relu),
        SeriesBlock residual => graph.Sum(graph.Links(x, residual.Branch), graph.Shortcut(x, residual.Shortcut), Activation.Relu),
        _ => throw new NotSupportedException($"The block {block.GetName()} has no ONNX form yet."),
    };

    /// <summary>Blocks one after another; a norm behind a convolution is folded into it.</summary>
    public static FeatureMap Links(this OnnxGraph graph, FeatureMap x, IReadOnlyList<nn.Module> links)
    {
        for (var i = 0; i < links.Count; i++)
        {
            var norm = i + 1 < links.Count ? links[i + 1] as BatchNormAct : null;
            switch (links[i])
            {
                case Convolution layer when norm is not null:
                    x = graph.Convolve(x, layer, norm);
                    i++;
                    break;
                case SeriesConvolution layer when norm is not null:
                    x = graph.Convolve(x, layer, norm);
                    i++;
                    break;
                default:
                    x = graph.Block(x, links[i]);
                    break;
            }
        }
        return x;
    }

    static FeatureMap Residual(this OnnxGraph graph, FeatureMap x, bool hasSkip, FeatureMap branch) => hasSkip ? graph.Sum(branch, x) : branch;

    static FeatureMap Shortcut(this OnnxGraph graph, FeatureMap x, Chain? shortcut) => shortcut is null ? x : graph.Block(x, shortcut);
}
