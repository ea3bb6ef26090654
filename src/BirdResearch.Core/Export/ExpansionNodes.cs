using BirdResearch.Export.Graph;
using BirdResearch.Features;

namespace BirdResearch.Export;

/// <summary>Convolutional expand-and-sparsify.</summary>
static class ExpansionNodes
{
    /// <summary>(B, T) -> (B, channels, n_output, steps).</summary>
    public static OnnxValue Add(OnnxGraph graph, ExpandAndSparsify frontEnd, OnnxValue samples, long length)
    {
        frontEnd.RequireFitted();
        var (expansion, steps) = (frontEnd.Expansion, frontEnd.Frames(length));
        var (rows, frames) = (frontEnd.Mel.Rows, frontEnd.Mel.Frames(length));
        var series = graph.Reshape(MelNodes.Add(graph, frontEnd.Mel, samples, length), -1, rows, frames);
        var patches = Patches(graph, series, expansion, rows, steps);                                // (B, mels * window, steps)
        var activations = Activations(graph, frontEnd, patches, steps);                              // (B, n_output, steps)
        var code = expansion.Rule switch
        {
            SparsityRule.Threshold => Firing(graph, activations, frontEnd, expansion.Binary),
            SparsityRule.PerStep => Winners(graph, activations, 1, expansion.K, expansion.Binary),
            _ => PerClip(graph, activations, expansion, steps),
        };
        var image = graph.Reshape(code, -1, 1, expansion.Outputs, steps);
        return graph.Concat(1, [.. Enumerable.Repeat(image, frontEnd.Channels)]);
    }

    /// <summary>Mel series (B, mels, F) -> the patches under the sliding window (B, mels * window, steps), scaled.</summary>
    static OnnxValue Patches(OnnxGraph graph, OnnxValue series, ExpansionSettings expansion, long mels, long steps)
    {
        OnnxValue[] shifted =
        [
            .. from frame in Enumerable.Range(0, expansion.Window)
               let part = graph.Slice(series, 2, frame, frame + ((steps - 1) * expansion.Stride) + 1, expansion.Stride)
               select graph.Reshape(part, -1, mels, 1, steps),
        ];
        var cells = mels * expansion.Window;
        var patches = graph.Reshape(graph.Concat(2, shifted), -1, cells, steps);
        if (expansion.Patch == PatchScaling.Raw) return patches;
        var centred = graph.Minus(patches, graph.Reduce("ReduceMean", patches, 1));
        var variance = graph.Reduce("ReduceMean", graph.Times(centred, centred), 1);                 // (B, 1, steps)
        var shaped = graph.Add("Cast", [graph.Add("Greater", [variance, graph.Float(SparseProjection.Flat)])], ("to", (long)OnnxType.Float));
        var scale = expansion.Patch == PatchScaling.Centred
            ? shaped
            : graph.Add("Div", [shaped, graph.Add("Sqrt", [graph.AtLeast(graph.Times(variance, cells), SparseProjection.Flat)])]);
        return graph.Times(centred, scale);
    }

    /// <summary>Patches (B, mels * window, steps) -> (B, n_output, steps).</summary>
    static OnnxValue Activations(OnnxGraph graph, ExpandAndSparsify frontEnd, OnnxValue patches, long steps)
    {
        var units = frontEnd.Expansion.Outputs;
        if (frontEnd.Inputs.Count == 0)
        {
            using var weights = frontEnd.Weights();                                                  // (n_output, mels * window)
            return graph.MatMul(graph.Tensor(weights), patches);
        }
        // Added up in the order in which the front-end adds: units that read equal cells stay equal, and ties fall alike.
        var perUnit = frontEnd.Inputs.Count / units;
        var read = graph.Add("Gather", [patches, graph.Integers([.. frontEnd.Inputs.Select(i => (long)i)])], ("axis", 1));
        var sums = graph.Reduce("ReduceSum", graph.Reshape(read, -1, units, perUnit, steps), 2);     // (B, n_output, 1, steps)
        return graph.Times(graph.Reshape(sums, -1, units, steps), ExpansionKernels.WeightOf(perUnit));
    }

    static OnnxValue Firing(OnnxGraph graph, OnnxValue activations, ExpandAndSparsify frontEnd, bool binary)
    {
        var thresholds = graph.Tensor(frontEnd.Thresholds!.unsqueeze(1));                            // (n_output, 1)
        var fires = graph.Add("Greater", [activations, thresholds]);
        return binary ? graph.Add("Cast", [fires], ("to", (long)OnnxType.Float)) : graph.Add("Where", [fires, activations, graph.Float(0)]);
    }

    /// <summary>Contests over the whole clip, in which earlier steps come first among equals.</summary>
    static OnnxValue PerClip(OnnxGraph graph, OnnxValue activations, ExpansionSettings expansion, long steps)
    {
        var inOrder = graph.Reshape(graph.Transpose(activations, 0, 2, 1), -1, steps * expansion.Outputs);
        var kept = Winners(graph, inOrder, 1, expansion.K * steps, expansion.Binary);
        return graph.Transpose(graph.Reshape(kept, -1, steps, expansion.Outputs), 0, 2, 1);
    }

    /// <summary>The k largest along an axis, as 1 or as they are, and 0 elsewhere. TopK takes the lowest index of equal values, as winner-take-all does.</summary>
    static OnnxValue Winners(OnnxGraph graph, OnnxValue activations, long axis, long k, bool binary)
    {
        var top = graph.Add("TopK", [activations, graph.Integers(k)], 2, ("axis", axis), ("sorted", 0));
        var kept = binary ? graph.FilledLike(top[1], 1) : top[0];
        return graph.Add("ScatterElements", [graph.FilledLike(activations), top[1], kept], ("axis", axis));
    }
}
