using BirdResearch.Export.Graph;
using BirdResearch.Features;

namespace BirdResearch.Export;

/// <summary>A mel spectrogram under per-channel energy normalisation.</summary>
static class PcenNodes
{
    /// <summary>(B, T) -> (B, channels, mels, frames).</summary>
    public static OnnxValue Add(OnnxGraph graph, PcenFrontEnd frontEnd, OnnxValue samples, long length)
    {
        var frames = frontEnd.Frames(length);
        var bands = MelNodes.Bands(graph, frontEnd.Spectrogram, samples, length, frames);
        return ScalingNodes.Add(graph, frontEnd.Settings, Normalised(graph, frontEnd.Normalised, bands, (int)frames), frontEnd.Rows, frames);
    }

    /// <summary>Energies (B, mels, F); the running mean is one product with its weights written out.</summary>
    static OnnxValue Normalised(OnnxGraph graph, Pcen pcen, OnnxValue energies, int frames)
    {
        var settings = pcen.Settings;
        var scaled = graph.Times(energies, settings.Scale);
        var mean = graph.MatMul(scaled, graph.Floats([.. pcen.Weights(frames).Select(w => (float)w)], frames, frames));
        if (settings.Start == PcenStart.One) mean = graph.Plus(mean, graph.Floats([.. pcen.Lead(frames).Select(w => (float)w)], frames));
        var gain = graph.Add("Exp", [graph.Times(graph.Add("Log", [graph.Plus(mean, settings.Epsilon)]), -settings.Gain)]);
        var ratio = graph.Times(graph.Times(scaled, gain), 1 / settings.Bias);
        var more = graph.Plus(ratio, 1.0);
        // (1 + x)^power - 1, exactly 0 at 0: silence stays one number throughout.
        var root = settings.Power == 0.5
            ? graph.Add("Div", [ratio, graph.Plus(graph.Add("Sqrt", [more]), 1.0)])
            : graph.Plus(graph.Add("Pow", [more, graph.Float(settings.Power)]), -1.0);
        return graph.Times(root, Math.Pow(settings.Bias, settings.Power));
    }
}
