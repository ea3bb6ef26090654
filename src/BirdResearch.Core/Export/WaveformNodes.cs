using BirdResearch.Export.Graph;
using BirdResearch.Features;

namespace BirdResearch.Export;

/// <summary>Raw sound as features.</summary>
static class WaveformNodes
{
    /// <summary>(B, T) -> (B, channels, 1, T).</summary>
    public static OnnxValue Add(OnnxGraph graph, WaveformFrontEnd frontEnd, OnnxValue samples, long length)
    {
        var frames = frontEnd.Frames(length);
        var sound = graph.Reshape(samples, -1, 1, length);
        var encoded = frontEnd.Settings.Waveform.Encoding == "mu-law" ? MuLaw(graph, sound, frontEnd.Settings.Waveform) : sound;
        return ScalingNodes.Add(graph, frontEnd.Settings, encoded, 1, frames);
    }

    /// <summary>sign(x) ln(1 + mu |x|) / ln(1 + mu) of sound cut to [-1, 1], rounded to the levels where there are any.</summary>
    static OnnxValue MuLaw(OnnxGraph graph, OnnxValue sound, WaveformSettings settings)
    {
        var cut = graph.Add("Clip", [sound, graph.Float(-1), graph.Float(1)]);
        var loudness = graph.Add("Log", [graph.Plus(graph.Times(graph.Add("Abs", [cut]), settings.Mu), 1)]);
        var compressed = graph.Times(graph.Times(loudness, 1 / Math.Log(1 + settings.Mu)), graph.Add("Sign", [cut]));
        if (settings.Levels is not { } levels) return compressed;
        var half = (levels - 1) / 2.0;
        return graph.Plus(graph.Times(graph.Add("Round", [graph.Times(graph.Plus(compressed, 1), half)]), 1 / half), -1);
    }
}
