using BirdResearch.Naming;

namespace BirdResearch.Data;

/// <summary>Data sets by name or folder. The layout is recognised by what a folder holds.</summary>
public static class Datasets
{
    /// <summary>The data set that is made here, and that every trial takes unless told otherwise.</summary>
    public const string Synthetic = "synthetic-birds";

    static readonly (string Name, string Layout, string About)[] _wellKnown =
    [
        (Synthetic, BirdClefLayout.Name, "made here, from a seed, when it is first opened"),
        ("birdclef-2024", BirdClefLayout.Name, "182 species; from kaggle.com/competitions/birdclef-2024, unzipped"),
        ("esc50", EscLayout.Name, "50 classes of environmental sound; from github.com/karolpiczak/ESC-50"),
    ];

    /// <summary>What <c>data/</c> and the folder of real recordings hold, and the well-known sets that they lack, by name.</summary>
    public static IReadOnlyList<DatasetEntry> All()
    {
        var entries = new SortedDictionary<string, DatasetEntry>(StringComparer.Ordinal);
        foreach (var shelf in Shelves())
            foreach (var folder in Directory.Exists(shelf) ? Directory.GetDirectories(shelf) : [])
            {
                var name = Path.GetFileName(folder);
                if (LayoutOf(folder) is { } layout && !name.EndsWith(".partial", StringComparison.Ordinal))
                    entries.TryAdd(name, new DatasetEntry(name, folder, layout, true, AboutOf(name)));
            }
        foreach (var (name, layout, about) in _wellKnown)
            entries.TryAdd(name, new DatasetEntry(name, Path.Combine(Folders.Data, name), layout, false, about));
        return [.. entries.Values];
    }

    /// <summary>
    /// Opens a data set: a name is looked for in <c>data/</c> and among the real recordings (<see cref="Folders.Recordings"/>), anything
    /// else is a folder. Only tables are read, so that a data set of 24,000 recordings opens in seconds. <c>synthetic-birds</c> is made
    /// first where it is not there, or not as this version makes it.
    /// </summary>
    /// <param name="nameOrFolder">Such as <c>synthetic-birds</c>, <c>birdclef-2024</c> or <c>../recordings/mine</c>.</param>
    /// <param name="progress">Told of recordings made out of all, when the data set has to be made.</param>
    /// <param name="cancellation">Stops the making; opening again goes on from there.</param>
    /// <param name="quarantine">Whether files on the set's <see cref="QuarantineList"/> are left out, as they are unless a scan looks.</param>
    public static Dataset Open(
        string nameOrFolder, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellation = default, bool quarantine = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(nameOrFolder);
        var folder = nameOrFolder == Synthetic ? Made(progress, cancellation) : Find(nameOrFolder);
        if (folder is null) throw new ArgumentException(NotFound(nameOrFolder));

        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var name = Path.GetFileName(root);
        var data = LayoutOf(root) switch
        {
            BirdClefLayout.Name => BirdClefLayout.Read(name, root),
            EscLayout.Name => EscLayout.Read(name, root),
            _ => throw new InvalidDataException(
                $"{root} is no data set that we know: it holds neither train_metadata.csv (BirdCLEF), nor esc10.csv or esc50.csv (ESC), " +
                "nor soundscape_labels.csv (labelled soundscapes)."),
        };
        return quarantine ? Quarantine.Apply(data) : data;
    }

    /// <summary>Whether <see cref="Open"/> knows a name, or the layout of a folder.</summary>
    internal static bool IsDataset(string nameOrFolder) =>
        nameOrFolder == Synthetic || Find(nameOrFolder) is { } folder && LayoutOf(folder) is not null;

    /// <summary>
    /// The synthetic data set as this version makes it by default: made, finished or brought up to date in <c>data/</c>, unless only the
    /// folder of real recordings has one.
    /// </summary>
    static string Made(IProgress<(int Done, int Total)>? progress, CancellationToken cancellation)
    {
        var ours = Path.Combine(Folders.Data, Synthetic);
        if (!Directory.Exists(ours) && Find(Synthetic) is { } elsewhere) return elsewhere;
        SyntheticBirds.Write(ours, new SyntheticBirdsSettings(), progress, cancellation);
        return ours;
    }

    internal static string? Find(string nameOrFolder)
    {
        if (IsName(nameOrFolder))
            foreach (var shelf in Shelves())
                if (Directory.Exists(Path.Combine(shelf, nameOrFolder))) return Path.Combine(shelf, nameOrFolder);
        return Directory.Exists(nameOrFolder) ? nameOrFolder : null;
    }

    static bool IsName(string text) => text.IndexOfAny(['/', '\\']) < 0 && text is not ("." or "..");

    static IEnumerable<string> Shelves() => Folders.Recordings is { } recordings ? [Folders.Data, recordings] : [Folders.Data];

    static string? LayoutOf(string folder) =>
        BirdClefLayout.IsIn(folder) ? BirdClefLayout.Name : EscLayout.IsIn(folder) ? EscLayout.Name : null;

    static string AboutOf(string name) => _wellKnown.FirstOrDefault(k => k.Name == name).About ?? "";

    internal static string NotFound(string nameOrFolder) => IsName(nameOrFolder)
        ? NearNames.Unknown("data set", nameOrFolder, All().Where(e => e.Present || e.Name == Synthetic).Select(e => e.Name))
            + $" Looked in {string.Join(" and ", Shelves())}; BIRD_DATA can name another folder of data sets."
        : $"There is no folder '{nameOrFolder}'.";
}
