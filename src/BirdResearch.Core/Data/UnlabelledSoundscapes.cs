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
}
