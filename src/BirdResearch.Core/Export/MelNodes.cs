using BirdResearch.Export.Graph;
using BirdResearch.Features;

namespace BirdResearch.Export;

/// <summary>A mel spectrogram, and the front-end made of it.</summary>
static class MelNodes
{
    const double LastBits = 4e-7;

    /// <summary>(B, T) -> (B, channels, mels, frames).</summary>
    public static OnnxValue Add(OnnxGraph graph, MelFrontEnd frontEnd, OnnxValue samples, long length)
    {
        var frames = frontEnd.Frames(length);
        var bands = Bands(graph, frontEnd.Spectrogram, samples, length, frames);
        return ScalingNodes.Add(graph, frontEnd.Settings, bands, frontEnd.Rows, frames);
    }

    /// <summary>(B, T) -> (B, mels, frames).</summary>
    internal static OnnxValue Bands(OnnxGraph graph, MelSpectrogram mel, OnnxValue samples, long length, long frames)
    {
        var settings = mel.Settings;
        var sound = samples;
        if (settings.Centre)
        {
            var mode = settings.Padding switch { "reflect" => "reflect", "constant" => "constant", "replicate" => "edge", _ => "wrap" };
            sound = FrameNodes.Padded(graph, samples, settings.Fft / 2, settings.Fft / 2, mode);
            length += settings.Fft / 2 * 2;
        }
        var columns = FrameNodes.Columns(graph, sound, length, settings.Fft, settings.Hop, frames);          // (B, fft, F)
        var bands = FourierNodes.FilterBank(graph, columns, frames, MelSpectrogram.PaddedWindow(settings), mel.Filters.Weights, settings.Power);
        if (settings.TopDb is not { } topDb) return bands;
        var multiplier = settings.Power == 1 ? 20 : 10;
        var logarithms = graph.Times(graph.Add("Log", [graph.AtLeast(bands, Decibels.Smallest)]), multiplier / Math.Log(10));
        // A runtime's logarithm may differ in its last bit between lanes; lifted by some bits, silence stays one number throughout, or normalising would blow the bits up.
        var decibels = graph.AtLeast(logarithms, multiplier * Math.Log10(Decibels.Smallest) * (1 - LastBits));
        var floor = graph.Plus(graph.Reduce("ReduceMax", decibels, 1, 2), -topDb);                           // (B, 1, 1)
        return graph.Add("Max", [decibels, floor]);
    }
}
