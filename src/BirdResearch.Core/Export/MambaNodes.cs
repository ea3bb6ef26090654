using BirdResearch.Export.Graph;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>Mamba over spectrograms and over raw sound, in one direction or in both.</summary>
static class MambaNodes
{
    /// <summary>Features (B, channels, rows, frames) -> logits (B, C).</summary>
    public static OnnxValue Add(OnnxGraph graph, Mamba model, OnnxValue features)
    {
        var (x, length) = model.Stem is SoundTokens sound
            ? Tokens(graph, sound, features, model.Input.Frames)
            : Tokens(graph, (FrameTokens)model.Stem, features, model.Input.Frames);               // (B, L, width)
        foreach (var layer in model.Layers) x = graph.Plus(x, Mixer(graph, (ISelectiveMixer)layer.Mixer, graph.Norm(x, layer.Norm), length));
        var mean = graph.MeanToken(graph.Norm(x, model.LastNorm), 0, length);
        return graph.Linear(mean, model.Head);
    }

    /// <summary>A mixer of tokens (B, L, width), Mamba's or Vision Mamba's.</summary>
    public static OnnxValue Mixer(OnnxGraph graph, ISelectiveMixer mixer, OnnxValue tokens, long length)
    {
        var channels = mixer.OutProjection.Weight.shape[1];
        var halves = graph.Split(graph.Project(tokens, mixer.InProjection), 2, channels, channels);
        var sum = mixer.Directions.Select(d => Direction(graph, d, halves[0], length)).Aggregate((a, b) => graph.Plus(a, b));
        var gated = graph.Times(sum, graph.Activate(halves[1], Activation.Silu));                // (B, L, D)
        return graph.Project(gated, mixer.OutProjection, mixer.Share);
    }

    /// <summary>Convolution, SiLU and scan of one direction, without the gate: (B, L, D).</summary>
    static OnnxValue Direction(OnnxGraph graph, MambaDirection direction, OnnxValue x, long length)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (rank, states, channels) = (direction.DtProjection.Weight.shape[1], direction.States, direction.D.shape[0]);
        var u = graph.Activate(graph.Convolve(x, direction.Conv, direction.Reverse, length), Activation.Silu);
        var parts = graph.Split(graph.Project(u, direction.XProjection), 2, rank, states, states);
        var delta = graph.Add("Softplus", [graph.Project(parts[0], direction.DtProjection)]);    // (B, L, D)
        var a = graph.Tensor(direction.ALog.exp().neg().t());                                    // (N, D)
        var y = ScanNodes.Scan(graph, u, delta, a, parts[1], parts[2], (length, channels, states), direction.Reverse);
        return graph.Plus(y, graph.Times(u, graph.Tensor(direction.D)));
    }

    /// <summary>A token for every few frames: a product over all rows of them.</summary>
    static (OnnxValue Tokens, long Length) Tokens(OnnxGraph graph, FrameTokens stem, OnnxValue features, long frames)
    {
        var shape = stem.Weight.shape;                                                           // (width, C, M, frames)
        var missing = (shape[3] - (frames % shape[3])) % shape[3];
        var padded = missing == 0 ? features : graph.Add("Pad", [features, graph.Integers(0, 0, 0, 0, 0, 0, 0, missing)]);
        var convolved = graph.Add("Conv", [padded, graph.Tensor(stem.Weight), graph.Tensor(stem.Bias)],
            ("kernel_shape", new[] { shape[2], shape[3] }), ("strides", new[] { shape[2], shape[3] }));   // (B, width, 1, L)
        var length = (frames + missing) / shape[3];
        return (graph.Transpose(graph.Reshape(convolved, -1, shape[0], length), 0, 2, 1), length);
    }

    /// <summary>A token for every few samples.</summary>
    static (OnnxValue Tokens, long Length) Tokens(OnnxGraph graph, SoundTokens stem, OnnxValue features, long samples)
    {
        var missing = (stem.Stride - (samples % stem.Stride)) % stem.Stride;
        var padded = missing == 0 ? features : graph.Add("Pad", [features, graph.Integers(0, 0, 0, 0, 0, 0, 0, missing)]);
        var map = new FeatureMap(padded, 1, 1, samples + missing);
        foreach (var (convolution, norm) in stem.Stages) map = graph.Convolve(map, convolution, norm);
        return (graph.Transpose(graph.Reshape(map.Value, -1, map.Channels, map.Frames), 0, 2, 1), map.Frames);
    }
}
