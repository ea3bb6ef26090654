namespace BirdResearch.Data;

/// <summary>The soundscape recordings of a BirdCLEF layout.</summary>
static class SoundscapeFiles
{
    /// <summary>Where labelled soundscapes may lie.</summary>
    public static readonly IReadOnlyList<string> Folders = ["soundscapes", "train_soundscapes", "test_soundscapes"];

    static readonly string[] _unlabelled = ["unlabeled_soundscapes", "unlabelled_soundscapes"];
    static readonly HashSet<string> _sound = new([".ogg", ".opus", ".flac", ".wav", ".mp3"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Path below the root by name without extension.</summary>
    public static IReadOnlyDictionary<string, string> ByStem(string root)
    {
        var files = new Dictionary<string, string>();
        foreach (var file in Folders.SelectMany(folder => In(root, folder)))
        {
            var stem = Path.GetFileNameWithoutExtension(file);
            if (!files.TryAdd(stem, file))
                throw new InvalidDataException($"Two soundscapes of {root} are called {stem}: {files[stem]} and {file}. Rename one.");
        }
        return files;
    }

    /// <summary>Files without labels, relative to the root.</summary>
    public static IReadOnlyList<string> Unlabelled(string root) =>
        [.. _unlabelled.SelectMany(folder => In(root, folder)).Order(StringComparer.Ordinal)];

    /// <summary>Files known to hold none of the classes, relative to the root.</summary>
    public static IReadOnlyList<string> NoCall(string root) => [.. In(root, "nocall")];

    static IEnumerable<string> In(string root, string folder)
    {
        var directory = new DirectoryInfo(Path.Combine(root, folder));
        if (!directory.Exists) return [];
        return directory.EnumerateFiles().Where(f => _sound.Contains(f.Extension)).Select(f => $"{folder}/{f.Name}")
            .Order(StringComparer.Ordinal);
    }
}
