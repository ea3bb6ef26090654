using BirdResearch.Export.Graph;
using BirdResearch.Features;

namespace BirdResearch.Export;

/// <summary>Turns a front-end into operations: samples (B, T) in, features (B, channels, rows, frames) out.</summary>
static class FrontEndNodes
{
    /// <summary>The nodes of a front-end; a kind without an exporter is an error that names it.</summary>
    /// <param name="graph">Receives the nodes.</param>
    /// <param name="frontEnd">The front-end, fitted where it has to be.</param>
    /// <param name="samples">(B, T).</param>
    /// <param name="length">T.</param>
    public static OnnxValue Add(OnnxGraph graph, FrontEnd frontEnd, OnnxValue samples, long length) => frontEnd switch
    {
        MelFrontEnd mel => MelNodes.Add(graph, mel, samples, length),
        PcenFrontEnd pcen => PcenNodes.Add(graph, pcen, samples, length),
        FbankFrontEnd fbank => FbankNodes.Add(graph, fbank, samples, length),
        ExpandAndSparsify expansion => ExpansionNodes.Add(graph, expansion, samples, length),
        WaveformFrontEnd waveform => WaveformNodes.Add(graph, waveform, samples, length),
        _ => throw new NotSupportedException($"The front-end {frontEnd.GetName()} has no ONNX form yet."),
    };
}
