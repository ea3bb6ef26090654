using BirdResearch.Export.Graph;
using BirdResearch.Models;
using static TorchSharp.torch;
using MaxPool2d = TorchSharp.Modules.MaxPool2d;

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
        MaxPool2d => graph.MaxPool(x, 3, 2, 1),
        ConvolutionNorm pair => graph.Links(x, pair.Links),
        ConvolutionShortcut shortcut => graph.Convolve(x, shortcut.Convolution),
        PreActivationStem stem => graph.Links(x, stem.Links),
        PreActivationStage stage => graph.Block(x, stage.Blocks),
        PreActivationBlock residual => graph.PreActivation(x, residual),
        ScaledConvolution layer => graph.Convolve(x, layer),
        EfficientAttention layer => graph.Attention(x, layer),
        NfStem stem => graph.Between(x, stem.Convolutions),
        NfBlock residual => graph.NormFree(x, residual),
        PooledShortcut shortcut => graph.Convolve(shortcut.Pools ? graph.MeanPool(x) : x, shortcut.Convolution),
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

    // The first norm stands between a sum and a convolution, so no convolution can take it in; the others follow one each.
    static FeatureMap PreActivation(this OnnxGraph graph, FeatureMap x, PreActivationBlock block)
    {
        var y = graph.Norm(x, block.First);
        var shortcut = block.Shortcut is { } projection ? graph.Block(y, projection) : x;
        return graph.Sum(graph.Links(y, block.Branch), shortcut);
    }

    static FeatureMap NormFree(this OnnxGraph graph, FeatureMap x, NfBlock block)
    {
        var y = graph.Activate(x, Activation.Silu);
        var shortcut = block.Shortcut is { } projection ? graph.Block(y, projection) : x;
        return graph.Sum(graph.Attention(graph.Between(y, block.Convolutions), block.Attention, NfBlock.Share), shortcut);
    }

    /// <summary>Convolutions with SiLU between them.</summary>
    static FeatureMap Between(this OnnxGraph graph, FeatureMap x, IReadOnlyList<ScaledConvolution> layers) =>
        layers.Skip(1).Aggregate(graph.Convolve(x, layers[0]), (y, layer) => graph.Convolve(graph.Activate(y, Activation.Silu), layer));
}
