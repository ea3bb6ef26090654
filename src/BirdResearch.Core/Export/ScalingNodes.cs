using BirdResearch.Export.Graph;
using BirdResearch.Features;

namespace BirdResearch.Export;

/// <summary>The normalisation of features and their repetition over channels.</summary>
static class ScalingNodes
{
    const double Epsilon = 1e-5;

    /// <summary>(B, rows, frames) -> (B, channels, rows, frames).</summary>
    public static OnnxValue Add(OnnxGraph graph, FrontEndSettings settings, OnnxValue features, long rows, long frames)
    {
        if (settings.RowQuantile is { } quantile) features = graph.Minus(features, Quantile(graph, features, quantile, frames));
        var scaled = settings.Normalisation switch
        {
            Normalisation.PerClip => PerClip(graph, features),
            Normalisation.Peak => Peak(graph, features),
            Normalisation.Fixed => graph.Times(graph.Plus(features, -settings.Mean), 1 / settings.Std),
            _ => features,
        };
        var image = graph.Reshape(scaled, -1, 1, rows, frames);
        return graph.Concat(1, [.. Enumerable.Repeat(image, settings.Channels)]);
    }

    /// <summary>Each row's quantile over the frames, (B, rows, 1).</summary>
    static OnnxValue Quantile(OnnxGraph graph, OnnxValue features, double quantile, long frames)
    {
        var (index, share) = RowQuantile.Place(quantile, frames);
        var count = Math.Min(index + 2, frames);
        var least = graph.Add("TopK", [features, graph.Integers(count)], 2, ("axis", 2), ("largest", 0), ("sorted", 1))[0];
        var lower = graph.Slice(least, 2, index, index + 1);
        return share == 0 ? lower : graph.Plus(lower, graph.Times(graph.Minus(graph.Slice(least, 2, index + 1, index + 2), lower), share));
    }

    static OnnxValue PerClip(OnnxGraph graph, OnnxValue features)
    {
        var centred = Centred(graph, features);                                          // (B, rows, frames)
        var deviation = graph.Add("Sqrt", [graph.Reduce("ReduceMean", graph.Times(centred, centred), 1, 2)]);   // (B, 1, 1)
        return graph.Times(centred, graph.Add("Reciprocal", [graph.Plus(deviation, Epsilon)]));
    }

    static OnnxValue Peak(OnnxGraph graph, OnnxValue features)
    {
        var centred = Centred(graph, features);                                          // (B, rows, frames)
        var peak = graph.Reduce("ReduceMax", graph.Add("Abs", [centred]), 1, 2);         // (B, 1, 1)
        return graph.Add("Div", [centred, graph.AtLeast(peak, Epsilon)]);
    }

    // The peak comes off first, as in the front-ends: a constant clip is then exactly 0 throughout.
    static OnnxValue Centred(OnnxGraph graph, OnnxValue features)
    {
        var lowered = graph.Minus(features, graph.Reduce("ReduceMax", features, 1, 2));
        return graph.Minus(lowered, Mean(graph, lowered));
    }

    // Over frames first: onnxruntime adds one number after another, and a long sum of like numbers is off in the fifth digit.
    static OnnxValue Mean(OnnxGraph graph, OnnxValue features) =>
        graph.Reduce("ReduceMean", graph.Reduce("ReduceMean", features, 2), 1);          // (B, 1, 1)
}
