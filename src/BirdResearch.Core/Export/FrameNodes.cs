using BirdResearch.Export.Graph;

namespace BirdResearch.Export;

/// <summary>Overlapping frames of sound without an index: blocks of one hop side by side, of which each frame takes a few neighbours.</summary>
static class FrameNodes
{
    /// <summary>(B, T) -> (B, length, frames): column f holds samples f * hop to f * hop + length; what lies beyond the end is 0.</summary>
    public static OnnxValue Columns(OnnxGraph graph, OnnxValue sound, long samples, long length, long hop, long frames)
    {
        var blocks = frames - 1 + (length + hop - 1) / hop;
        var exact = Exactly(graph, sound, samples, blocks * hop);
        var columns = graph.Transpose(graph.Reshape(exact, -1, blocks, hop), 0, 2, 1);   // (B, hop, blocks)
        var parts = new List<OnnxValue>();
        for (var (block, at) = (0L, 0L); at < length; block++, at += hop)
        {
            var part = length - at < hop ? graph.Slice(columns, 1, 0, length - at) : columns;
            parts.Add(blocks == frames ? part : graph.Slice(part, 2, block, block + frames));
        }
        return graph.Concat(1, [.. parts]);
    }

    /// <summary>(B, samples) cut, or filled up with zeros, to (B, wanted).</summary>
    public static OnnxValue Exactly(OnnxGraph graph, OnnxValue sound, long samples, long wanted) =>
        wanted < samples ? graph.Slice(sound, 1, 0, wanted) : Padded(graph, sound, 0, wanted - samples, "constant");

    /// <summary>(B, T) with that many samples before and behind, of ONNX's padding mode.</summary>
    public static OnnxValue Padded(OnnxGraph graph, OnnxValue sound, long before, long behind, string mode) =>
        before == 0 && behind == 0 ? sound : graph.Add("Pad", [sound, graph.Integers(0, before, 0, behind)], ("mode", mode));
}
