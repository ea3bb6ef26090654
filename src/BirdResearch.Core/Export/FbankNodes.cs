using BirdResearch.Export.Graph;
using BirdResearch.Features;

namespace BirdResearch.Export;

/// <summary>A Kaldi filter bank, and the front-end made of it.</summary>
static class FbankNodes
{
    /// <summary>(B, T) -> (B, channels, columns, frames).</summary>
    public static OnnxValue Add(OnnxGraph graph, FbankFrontEnd frontEnd, OnnxValue samples, long length)
    {
        var (given, wanted) = (frontEnd.Bank.Frames(length), frontEnd.Frames(length));
        var columns = Columns(graph, frontEnd.Bank, samples, length, given);                     // (B, columns, given)
        if (wanted < given) columns = graph.Slice(columns, 2, 0, wanted);
        else if (wanted > given) columns = graph.Add("Pad", [columns, graph.Integers(0, 0, 0, 0, 0, wanted - given)]);
        return ScalingNodes.Add(graph, frontEnd.Settings, columns, frontEnd.Rows, wanted);
    }

    /// <summary>(B, T) -> (B, columns, frames).</summary>
    static OnnxValue Columns(OnnxGraph graph, KaldiFbank bank, OnnxValue samples, long length, long frames)
    {
        var settings = bank.Settings;
        var (sound, samplesThen) = settings.SnipEdges ? (samples, length) : Mirrored(graph, samples, length, bank.Length / 2 - (bank.Shift / 2));
        var framed = FrameNodes.Columns(graph, sound, samplesThen, bank.Length, bank.Shift, frames);   // (B, length, F)
        if (settings.RemoveDc) framed = graph.Minus(framed, graph.Reduce("ReduceMean", framed, 1));
        var raw = framed;
        if (settings.PreEmphasis != 0)
        {
            var (first, now, before) = (graph.Slice(framed, 1, 0, 1), graph.Slice(framed, 1, 1, bank.Length), graph.Slice(framed, 1, 0, bank.Length - 1));
            framed = graph.Concat(1, graph.Times(first, 1 - settings.PreEmphasis), graph.Minus(now, graph.Times(before, settings.PreEmphasis)));
        }
        var (window, missing) = (bank.Window, bank.Fft - bank.Length);
        var whole = missing == 0 ? framed : graph.Add("Pad", [framed, graph.Integers(0, 0, 0, 0, missing, 0)]);   // (B, fft, F)
        var bins = FourierNodes.FilterBank(graph, whole, frames, [.. window, .. new double[missing]], bank.Weights, settings.Power ? 2 : 1);
        if (settings.Log) bins = graph.Add("Log", [graph.AtLeast(bins, KaldiFbank.Epsilon)]);
        if (settings.Energy != EnergyColumn.None)
        {
            var loud = settings.RawEnergy ? raw : graph.Times(framed, graph.Floats([.. window.Select(w => (float)w)], bank.Length, 1));
            var energy = graph.Add("Log", [graph.AtLeast(graph.Reduce("ReduceSum", graph.Times(loud, loud), 1), KaldiFbank.Epsilon)]);
            if (settings.EnergyFloor > 0) energy = graph.AtLeast(energy, Math.Log(settings.EnergyFloor));
            bins = settings.Energy == EnergyColumn.First ? graph.Concat(1, energy, bins) : graph.Concat(1, bins, energy);
        }
        return settings.SubtractMean ? graph.Minus(bins, graph.Reduce("ReduceMean", bins, 2)) : bins;
    }

    /// <summary>The sound with its mirror image at both ends, the end sample repeated, from <paramref name="lead"/> samples before it on.</summary>
    static (OnnxValue Sound, long Samples) Mirrored(OnnxGraph graph, OnnxValue samples, long length, long lead)
    {
        var mirror = graph.Slice(samples, 1, length - 1, -length - 1, -1);
        return lead > 0
            ? (graph.Concat(1, graph.Slice(mirror, 1, length - lead, length), samples, mirror), lead + (2 * length))
            : (graph.Concat(1, graph.Slice(samples, 1, -lead, length), mirror), lead + (2 * length));
    }
}
