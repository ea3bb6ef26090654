using BirdResearch.Data;
using BirdResearch.Features;
using static TorchSharp.torch;

namespace BirdResearch.Experiments;

/// <summary>What the codes of an expand-and-sparsify front-end look like, for the report: how often each unit fires, and a clip's code as a picture.</summary>
public static class RunCodes
{
    /// <summary>Windows that the shares are measured on, per domain, and units in a picture, at most.</summary>
    const int MostWindows = 64, MostUnits = 128;

    /// <summary>
    /// Writes <c>codes.csv</c>: a line per unit with the share of time steps in which it fires, over held-out recordings and over soundscape windows;
    /// empty where there are none.
    /// </summary>
    public static void Write(string folder, FrontEnd frontEnd, WindowReader reader, Dataset data, Split split)
    {
        var (focal, soundscape) = (Shares(frontEnd, reader, split.Validation), Shares(frontEnd, reader, data.Soundscapes));
        CsvTable.Write(Path.Combine(folder, "codes.csv"), ["unit", "focal_share", "soundscape_share"],
            Enumerable.Range(0, frontEnd.Rows).Select(unit => new object?[] { unit, focal?[unit], soundscape?[unit] }));
    }

    /// <summary>Share of the time steps of up to so many windows, evenly spread over the clips, in which each unit fires; null without clips.</summary>
    static double[]? Shares(FrontEnd frontEnd, WindowReader reader, IReadOnlyList<Clip> clips)
    {
        if (clips.Count == 0) return null;
        var count = Math.Min(MostWindows, clips.Count);
        var (fired, steps) = (new double[frontEnd.Rows], 0L);
        for (var i = 0; i < count; i++)
        {
            var (active, frames) = Code(frontEnd, reader.Read(clips[(int)((2L * i + 1) * clips.Count / (2 * count))]));
            for (var unit = 0; unit < fired.Length; unit++) fired[unit] += active.AsSpan(unit * frames, frames).Count(true);
            steps += frames;
        }
        return [.. fired.Select(f => f / steps)];
    }

    /// <summary>
    /// A window's code as the report reads it: the units that fire most often, the most often firing first, by time steps, a byte each: 255 where a unit fires.
    /// </summary>
    public static object Picture(FrontEnd frontEnd, float[] samples)
    {
        var (active, frames) = Code(frontEnd, samples);
        var order = Enumerable.Range(0, frontEnd.Rows).OrderByDescending(unit => active.AsSpan(unit * frames, frames).Count(true)).Take(MostUnits).ToArray();
        var values = order.SelectMany(unit => active.Skip(unit * frames).Take(frames)).Select(fires => fires ? (byte)255 : (byte)0).ToArray();
        return new { Units = frontEnd.Rows, Rows = order.Length, Frames = frames, Values = Convert.ToBase64String(values) };
    }

    /// <summary>Which unit fires when: rows x frames, one row of time steps after the other.</summary>
    static (bool[] Active, int Frames) Code(FrontEnd frontEnd, float[] samples)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var code = frontEnd.forward(tensor(samples, [1, samples.Length]))[0, 0];     // (n_output, T')
        return (code.to(ScalarType.Bool).contiguous().data<bool>().ToArray(), (int)code.shape[1]);
    }
}
