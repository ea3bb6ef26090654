using BirdResearch.Export.Graph;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>SSAMBA: patches of a spectrogram, pairs of bidirectional Mamba layers, a pooled token.</summary>
static class SsambaNodes
{
    /// <summary>Features (B, channels, rows, frames) of the size that it was built for -> logits (B, C).</summary>
    public static OnnxValue Add(OnnxGraph graph, Ssamba model, OnnxValue features)
    {
        var (encoder, length) = (model.VimEncoder, 1 + model.Grid.Count);
        var x = Tokens(graph, model, features);                                                  // (B, L, width)
        for (var pair = 0; pair < encoder.Layers.Count; pair += 2)
        {
            OnnxValue one = Layer(graph, encoder.Layers[pair], x, length), other = Layer(graph, encoder.Layers[pair + 1], x, length);
            x = graph.Plus(graph.Plus(graph.Times(x, 2), one), other);                           // each layer adds the stream that it read
        }
        x = graph.Norm(graph.Norm(x, encoder.LastNorm), encoder.LastNorm);
        var pooled = model.Settings.Pooling == TokenPooling.ClassToken ? graph.MeanToken(x, 0, 1) : graph.MeanToken(x, 1, length);
        return graph.Linear(graph.Norm(pooled, model.TokenHead.Norm), model.TokenHead.Classes);
    }

    /// <summary>A class token and one for every patch, with their positions.</summary>
    static OnnxValue Tokens(OnnxGraph graph, Ssamba model, OnnxValue features)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (encoder, settings, patches) = (model.VimEncoder, model.Settings, model.Grid.Count);
        var projection = encoder.PatchEmbedding.Projection;
        var cells = graph.Add("Conv", [features, graph.Tensor(projection.weight!), graph.Tensor(projection.bias!)],
            ("kernel_shape", new[] { settings.PatchRows, settings.PatchFrames }), ("strides", new[] { settings.RowStride, settings.FrameStride }));
        var tokens = graph.Transpose(graph.Reshape(cells, -1, settings.Width, patches), 0, 2, 1);
        var positions = encoder.Positions.clone();
        positions.narrow(1, 0, 1).add_(encoder.ClassToken, KeptScalar.Of(1L));                   // in the place that is padded with zeros
        return graph.Plus(graph.PadTokens(tokens, 1, 0), graph.Tensor(positions));
    }

    static OnnxValue Layer(OnnxGraph graph, VimLayer layer, OnnxValue stream, long length) =>
        MambaNodes.Mixer(graph, layer.Mixer, graph.Norm(stream, layer.Norm), length);
}
