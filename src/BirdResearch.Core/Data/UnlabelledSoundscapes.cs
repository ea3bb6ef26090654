using System.Globalization;

namespace BirdResearch.Data;

/// <summary>The soundscapes without labels that a training may listen to.</summary>
public static class UnlabelledSoundscapes
{
    /// <summary>
    /// Each as one clip without labels, whose id is its file: never a file that holds labelled windows, which are what a model is tested on, nor
    /// one that is held out. Empty where the data set has none.
    /// </summary>
    public static IReadOnlyList<Clip> Of(Dataset data, Split split) => Clips(data.Unlabelled, data, split);

    /// <summary>The same of any files of the data set.</summary>
    internal static IReadOnlyList<Clip> Clips(IEnumerable<string> files, Dataset data, Split split)
    {
        var kept = data.Soundscapes.Concat(split.Validation).Select(c => c.File).ToHashSet();
        return [.. files.Where(file => !kept.Contains(file)).Select(file => new Clip { Id = file, File = file, Labels = [], Group = file })];
    }

    /// <summary>
    /// Windows of them side by side, one clip each, whose id is the file, <c>@</c> and its first second: all, or as many as wanted, evenly spread over
    /// all sound; in an order drawn from the seed, so that a batch holds many recordings.
    /// </summary>
    /// <param name="data">The data set.</param>
    /// <param name="split">What is held out.</param>
    /// <param name="reader">Tells length and window.</param>
    /// <param name="most">Most windows.</param>
    /// <param name="seed">Of the order.</param>
    public static IReadOnlyList<Clip> Windows(Dataset data, Split split, WindowReader reader, int most, long seed)
    {
        var all = Of(data, split).SelectMany(recording => Cut(recording, reader)).ToList();
        var count = Math.Min(most, all.Count);
        var taken = Enumerable.Range(0, count).Select(i => all[(int)((long)i * all.Count / count)]).ToArray();
        new CounterRandom(seed, CounterRandom.KeyOf("unlabelled windows")).Shuffle<Clip>(taken);
        return taken;
    }

    /// <summary>The file of a clip that is such a recording or a window of one; for any other clip, its id or a part of it.</summary>
    public static string FileOf(string id)
    {
        var at = id.LastIndexOf('@');
        return at >= 0 && double.TryParse(id.AsSpan(at + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _) ? id[..at] : id;
    }

    /// <summary>What a user does who needs some.</summary>
    public static string HowToAdd(Dataset data) => $"Put soundscapes without labels into unlabeled_soundscapes/ below {data.Root}";

    static IEnumerable<Clip> Cut(Clip recording, WindowReader reader)
    {
        var count = Math.Max(1, reader.LengthOf(recording) / reader.WindowSamples);
        for (var i = 0L; i < count; i++)
        {
            var start = (double)i * reader.WindowSamples / reader.SampleRate;
            yield return recording with
            {
                Id = FormattableString.Invariant($"{recording.File}@{start:0.###}"),
                StartSeconds = start,
                Seconds = (double)reader.WindowSamples / reader.SampleRate,
            };
        }
    }
}
