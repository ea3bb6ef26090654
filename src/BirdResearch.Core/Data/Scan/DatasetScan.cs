namespace BirdResearch.Data;

/// <summary>Checks a data set, or a folder of sound files, once.</summary>
public static class DatasetScan
{
    /// <summary>
    /// Measures every file (from the journal where nothing has changed), compares their sound, and looks at every split. Nothing but the
    /// journal is written.
    /// </summary>
    /// <param name="nameOrFolder">A data set's name or folder, or any folder with sound files.</param>
    /// <param name="settings">Levels and thresholds.</param>
    /// <param name="worker">
    /// Command line that starts <see cref="ScanWorker.Serve"/>, so that a decoder that crashes or hangs harms nothing; null decodes in this
    /// process.
    /// </param>
    /// <param name="progress">Told of files measured out of all.</param>
    /// <param name="cancellation">Stops between two files; scanning again goes on from there.</param>
    public static ScanResult Run(
        string nameOrFolder, ScanSettings? settings = null, IReadOnlyList<string>? worker = null,
        IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellation = default)
    {
        settings ??= new ScanSettings();
        settings.Check();
        var data = Datasets.IsDataset(nameOrFolder) ? Datasets.Open(nameOrFolder, null, cancellation, quarantine: false) : null;
        var root = data?.Root ?? Path.TrimEndingDirectorySeparator(Path.GetFullPath(FolderOf(nameOrFolder)));
        var name = data?.Name ?? Path.GetFileName(root);
        IReadOnlyList<ScanFile> files = data is null ? [.. ScanFiles.In(root).Select(f => new ScanFile(f, ScanRole.Unlisted))] : ScanFiles.Of(data);
        if (files.Count == 0) throw new InvalidDataException($"{root} holds no sound file.");

        var crew = new ScanCrew(root, settings, worker, cancellation);
        SoundMeasures[] measures;
        using (var journal = new ScanJournal(Path.Combine(FolderFor(name), "journal.jsonl")))
            measures = FileMeasurer.Measure([.. files.Select(f => f.File)], crew, journal, progress);

        var sides = data is null ? SplitSides.None : new SplitSides(data);
        var shared = SharedSounds.Find(files, measures, sides, crew);
        var leaks = data is null ? [] : SplitLeaks.Of(data, sides);
        var findings = measures.SelectMany(m => ScanRules.Of(m, settings)).Concat(LeakedRecordings(leaks)).ToList();
        var bad = findings.Where(f => f.Severity == Severity.Error).Select(f => f.File).ToHashSet();
        findings.AddRange(SharedSoundRules.Of(shared, bad, settings));
        return new ScanResult
        {
            Name = name,
            Root = root,
            Files = files,
            Measures = measures,
            Shared = shared,
            Leaks = leaks,
            Findings = [.. findings.OrderByDescending(f => f.Severity).ThenBy(f => f.File, StringComparer.Ordinal)],
        };
    }

    /// <summary>Where a scan keeps its journal and its tables: <c>data/scan/NAME</c>.</summary>
    public static string FolderFor(string name) => Path.Combine(Folders.Data, "scan", name);

    /// <summary>Files of a recording that some split divides, all but the first; and those that the test soundscapes are made of.</summary>
    static IEnumerable<Finding> LeakedRecordings(IEnumerable<SplitLeak> leaks)
    {
        foreach (var leak in leaks)
        {
            var what = leak.Kind == "test_source" ? "is a source of a labelled soundscape" : $"is called as {leak.Files[0]} on the other side of fold {string.Join(" and ", leak.Folds)}";
            if (leak.Kind == "author") continue;   // a person's recordings can differ as much as two persons'; told in the summary
            foreach (var file in leak.Kind == "test_source" ? leak.Files : leak.Files.Skip(1))
                yield return new Finding(file, ScanRules.RecordingLeak, Severity.Error, what + ".");
        }
    }

    static string FolderOf(string nameOrFolder)
    {
        if (Directory.Exists(nameOrFolder)) return nameOrFolder;
        if (Datasets.Find(nameOrFolder) is { } folder) return folder;
        throw new ArgumentException(Datasets.NotFound(nameOrFolder));
    }
}
