using BirdResearch.Export.Graph;
using BirdResearch.Models;
using static TorchSharp.torch;
using Layer = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, TorchSharp.torch.Tensor>;

namespace BirdResearch.Export;

/// <summary>SaShiMi over raw sound or over any rows: state spaces at several rates.</summary>
static class SashimiNodes
{
    /// <summary>Features (B, channels, rows, frames) -> logits (B, C).</summary>
    public static OnnxValue Add(OnnxGraph graph, SashimiClassifier model, OnnxValue features)
    {
        var (frames, stride) = (model.Input.Frames, model.Backbone.Settings.Stride);
        var missing = (stride - (frames % stride)) % stride;
        var x = graph.PadTokens(Encoded(graph, model, features), 0, missing);                    // (B, L, width)
        x = Backbone(graph, model.Backbone, (x, frames + missing));
        return graph.Linear(graph.MeanToken(x, 0, frames), model.Head);
    }

    static OnnxValue Encoded(OnnxGraph graph, SashimiClassifier model, OnnxValue features)
    {
        var input = model.Input;
        if (model.Encoder is Dense linear)
            return graph.Project(graph.Transpose(graph.Reshape(features, -1, input.Channels * input.Rows, input.Frames), 0, 2, 1), linear);
        using var off = no_grad();
        var table = graph.Tensor(((TorchSharp.Modules.Embedding)model.Encoder).weight!);         // (256, width)
        return graph.Add("Gather", [table, Codes(graph, graph.Reshape(features, -1, input.Frames))]);
    }

    /// <summary>Mu-law codes of sound (B, T), as <see cref="MuLaw.Encode"/>.</summary>
    static OnnxValue Codes(OnnxGraph graph, OnnxValue sound)
    {
        const double Mu = MuLaw.Codes - 1;
        var cut = graph.Add("Clip", [sound, graph.Float(-1), graph.Float(1)]);
        var loudness = graph.Add("Log", [graph.Plus(graph.Times(graph.Add("Abs", [cut]), Mu), 1)]);
        var pressed = graph.Add("Div", [graph.Times(graph.Add("Sign", [cut]), loudness), graph.Float(Math.Log(MuLaw.Codes))]);
        var code = graph.Add("Floor", [graph.Plus(graph.Times(graph.Plus(pressed, 1), Mu / 2), 0.5)]);
        return graph.Add("Cast", [code], ("to", (long)OnnxType.Int64));
    }

    static OnnxValue Backbone(OnnxGraph graph, Sashimi backbone, (OnnxValue Value, long Length) tokens)
    {
        var x = tokens;
        var skips = new Stack<OnnxValue>([x.Value]);
        foreach (var layer in backbone.Down) skips.Push((x = Apply(graph, layer, x)).Value);
        foreach (var layer in backbone.Centre) x = Apply(graph, layer, x);
        x.Value = graph.Plus(x.Value, skips.Pop());
        foreach (var block in backbone.Upwards)
        {
            if (backbone.Settings.Unet)
            {
                foreach (var layer in block)
                {
                    x = Apply(graph, layer, x);
                    x.Value = graph.Plus(x.Value, skips.Pop());
                }
                continue;
            }
            x = Apply(graph, block[0], x);
            var pooled = graph.Plus(x.Value, skips.Pop());
            x.Value = pooled;
            foreach (var layer in block.Skip(1)) x = Apply(graph, layer, x);
            x.Value = graph.Plus(x.Value, pooled);
        }
        return graph.Norm(x.Value, backbone.LastNorm);
    }

    static (OnnxValue Value, long Length) Apply(OnnxGraph graph, Layer layer, (OnnxValue Value, long Length) x) => layer switch
    {
        DownPool down => (Down(graph, down, x), x.Length / down.Pool),
        UpPool up => (Up(graph, up, x), x.Length * up.Pool),
        ResidualBranch branch => (graph.Plus(x.Value, Mixed(graph, branch.Layer, (graph.Norm(x.Value, branch.Norm), x.Length))), x.Length),
        _ => throw new NotSupportedException($"A {layer.GetName()} of SaShiMi has no ONNX form yet."),
    };

    static OnnxValue Mixed(OnnxGraph graph, Layer layer, (OnnxValue Value, long Length) x) => layer switch
    {
        S4Block block => Gated(graph, graph.Project(graph.Activate(StateSpaceNodes.Convolve(graph, x.Value, block.Layer, x.Length), Activation.Gelu), block.Gate)),
        FeedForward wider => Project(graph, graph.Activate(Project(graph, x.Value, wider.Widen), Activation.Gelu), wider.Narrow),
        ISelectiveMixer mixer => MambaNodes.Mixer(graph, mixer, x.Value, x.Length),
        _ => throw new NotSupportedException($"A {layer.GetName()} of SaShiMi has no ONNX form yet."),
    };

    /// <summary>The first half of the channels times the sigmoid of the second.</summary>
    static OnnxValue Gated(OnnxGraph graph, OnnxValue x)
    {
        var halves = graph.Add("Split", [x], 2, ("axis", -1), ("num_outputs", 2));
        return graph.Times(halves[0], graph.Add("Sigmoid", [halves[1]]));
    }

    static OnnxValue Down(OnnxGraph graph, DownPool pool, (OnnxValue Value, long Length) x)
    {
        using var scope = NewDisposeScope();
        var (weight, _) = pool.Linear.Ordered();
        return Project(graph, graph.Reshape(x.Value, -1, x.Length / pool.Pool, weight.shape[1]), pool.Linear);
    }

    static OnnxValue Up(OnnxGraph graph, UpPool pool, (OnnxValue Value, long Length) x)
    {
        using var scope = NewDisposeScope();
        var (weight, _) = pool.Linear.Ordered();
        var width = weight.shape[0] / pool.Pool;
        if (x.Length == 1) return graph.Times(graph.Reshape(Project(graph, x.Value, pool.Linear), -1, pool.Pool, width), 0);
        var made = Project(graph, graph.Slice(x.Value, 1, 0, x.Length - 1), pool.Linear);        // (B, L - 1, p H)
        return graph.PadTokens(graph.Reshape(made, -1, (x.Length - 1) * pool.Pool, width), pool.Pool, 0);
    }

    static OnnxValue Project(OnnxGraph graph, OnnxValue tokens, Pointwise layer)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var (weight, bias) = layer.Ordered();
        return graph.Project(tokens, weight, bias);
    }
}
