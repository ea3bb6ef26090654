using System.Globalization;
using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>Labelled 5 s windows of soundscapes, from <c>soundscape_labels.csv</c> (codes, or nocall) or <c>soundscape_truth.csv</c> (0 and 1).</summary>
static class SoundscapeWindows
{
    public const double Seconds = 5;
    const string List = "soundscape_labels.csv";
    const string Matrix = "soundscape_truth.csv";
    const string NoCall = "nocall";
    static readonly string[] _folders = ["soundscapes", "train_soundscapes", "test_soundscapes"];
    static readonly string[] _unlabelled = ["unlabeled_soundscapes", "unlabelled_soundscapes"];
    static readonly HashSet<string> _sound = new([".ogg", ".opus", ".flac", ".wav", ".mp3"], StringComparer.OrdinalIgnoreCase);

    public static bool AreIn(string root) => File.Exists(Path.Combine(root, List)) || File.Exists(Path.Combine(root, Matrix));

    /// <summary>Every labelled window; where both tables are there they must agree.</summary>
    public static IReadOnlyList<SoundscapeRow> Read(string root)
    {
        var listed = File.Exists(Path.Combine(root, List)) ? Listed(Path.Combine(root, List)) : null;
        var marked = File.Exists(Path.Combine(root, Matrix)) ? Marked(Path.Combine(root, Matrix)) : null;
        if (listed is not null && marked is not null) RequireAgreement(listed, marked, TruthColumns(root));
        var rows = new Dictionary<string, SoundscapeRow>(marked ?? []);
        foreach (var (id, row) in listed ?? []) rows[id] = row;   // a list can name what the matrix has no column for
        return [.. rows.Values.OrderBy(r => r.Stem, StringComparer.Ordinal).ThenBy(r => r.EndSecond)];
    }

    /// <summary>Class columns of the 0/1 table; none where there is no such table.</summary>
    public static IReadOnlyList<string> TruthColumns(string root) => File.Exists(Path.Combine(root, Matrix))
        ? [.. CsvTable.Columns(Path.Combine(root, Matrix)).Where(c => c is not ("row_id" or ""))]
        : [];

    /// <summary>Soundscape files without labels, relative to the root.</summary>
    public static IReadOnlyList<string> Unlabelled(string root) =>
        [.. _unlabelled.SelectMany(folder => Sounds(root, folder)).Order(StringComparer.Ordinal)];

    /// <summary>A clip for every window whose file is there; the last window of a file keeps the file's true end.</summary>
    public static IReadOnlyList<Clip> ToClips(
        string root, IReadOnlyList<SoundscapeRow> rows, IReadOnlyList<string> classes, Dictionary<string, long> sizes, List<string> notes)
    {
        if (rows.Count == 0) return [];
        var files = FilesByStem(root);
        var (known, clips) = (classes.ToHashSet(), new List<Clip>(rows.Count));
        var (missing, unreadable, beyond, outside) = (new List<string>(), new List<string>(), new List<string>(), new SortedDictionary<string, int>());
        foreach (var soundscape in rows.GroupBy(r => r.Stem))
        {
            if (!files.TryGetValue(soundscape.Key, out var file))
            {
                missing.Add(soundscape.Key);
                continue;
            }
            if (Length(root, file, unreadable) is not { } length) continue;
            sizes[file] = new FileInfo(Path.Combine(root, file)).Length;
            foreach (var row in soundscape)
            {
                var start = Math.Max(0, row.EndSecond - Seconds);
                if (start >= length)
                {
                    beyond.Add(row.Id);
                    continue;
                }
                foreach (var label in row.Labels.Where(l => !known.Contains(l))) outside[label] = outside.GetValueOrDefault(label) + 1;
                clips.Add(new Clip
                {
                    Id = row.Id,
                    File = file,
                    Labels = [.. row.Labels.Where(known.Contains)],
                    Group = row.Stem,
                    StartSeconds = start,
                    Seconds = Math.Min(row.EndSecond, length) - start,
                });
            }
        }
        var all = rows.Select(r => r.Stem).Distinct().Count();
        if (missing.Count == all)
            throw new InvalidDataException(
                $"All {all} labelled soundscapes are missing, first: {missing[0]}. They belong in {string.Join(" or ", _folders)} below {root}.");
        if (missing.Count > 0) notes.Add($"{missing.Count} of {all} labelled soundscapes are missing, first: {missing[0]}. Their windows are left out.");
        if (unreadable.Count > 0) notes.Add($"{unreadable.Count} of {all} labelled soundscapes cannot be read, first: {unreadable[0]}");
        if (beyond.Count > 0) notes.Add($"{beyond.Count} labelled windows begin after the end of their file, first: {beyond[0]}. They are left out.");
        if (outside.Count > 0)
            notes.Add($"Labels of soundscape windows outside the classes are not in the truth: {string.Join(", ", outside.Select(o => $"{o.Key} ({o.Value})"))}.");
        return clips;
    }

    static Dictionary<string, SoundscapeRow> Listed(string path) =>
        Unique(CsvTable.Read(path, "row_id", "birds"), row =>
            [.. row["birds"].Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(b => b != NoCall).Distinct()]);

    static Dictionary<string, SoundscapeRow> Marked(string path)
    {
        var table = CsvTable.Read(path, "row_id");
        string[] columns = [.. table.Header.Where(c => c is not ("row_id" or ""))];
        return Unique(table, row => [.. columns.Where(c => row.Number64(c) switch
        {
            0 => false,
            1 => true,
            _ => throw row.Wrong(c, $"is '{row[c]}'; expected 0 or 1"),
        })]);
    }

    static Dictionary<string, SoundscapeRow> Unique(CsvTable table, Func<CsvRow, IReadOnlyList<string>> labels)
    {
        var rows = new Dictionary<string, SoundscapeRow>(table.Rows.Count);
        foreach (var row in table.Rows)
        {
            var id = row.Text("row_id");
            var bar = id.LastIndexOf('_');
            if (bar <= 0 || !double.TryParse(id.AsSpan(bar + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var end) || end <= 0)
                throw row.Wrong("row_id", $"is '{id}'; expected <soundscape>_<end second>");
            if (!rows.TryAdd(id, new SoundscapeRow(id, id[..bar], end, labels(row)))) throw row.Wrong("row_id", $"'{id}' is in the table twice");
        }
        return rows;
    }

    static void RequireAgreement(
        Dictionary<string, SoundscapeRow> listed, Dictionary<string, SoundscapeRow> marked, IReadOnlyList<string> columns)
    {
        foreach (var (id, row) in listed)
            if (marked.TryGetValue(id, out var other) && !row.Labels.Intersect(columns).ToHashSet().SetEquals(other.Labels))
                throw new InvalidDataException(
                    $"{List} and {Matrix} disagree on {id}: '{string.Join(' ', row.Labels)}' against '{string.Join(' ', other.Labels)}'. Remove the wrong one.");
    }

    static Dictionary<string, string> FilesByStem(string root)
    {
        var files = new Dictionary<string, string>();
        foreach (var file in _folders.SelectMany(folder => Sounds(root, folder)))
            if (!files.TryAdd(Path.GetFileNameWithoutExtension(file), file))
                throw new InvalidDataException($"Two soundscapes are called {Path.GetFileNameWithoutExtension(file)}; one is {Path.Combine(root, file)}.");
        return files;
    }

    static IEnumerable<string> Sounds(string root, string folder)
    {
        var directory = new DirectoryInfo(Path.Combine(root, folder));
        if (!directory.Exists) return [];
        return directory.EnumerateFiles().Where(f => _sound.Contains(f.Extension)).Select(f => $"{folder}/{f.Name}").Order(StringComparer.Ordinal);
    }

    static double? Length(string root, string file, List<string> unreadable)
    {
        try
        {
            return AudioFile.Probe(SafePath.Inside(root, file)).Seconds;
        }
        catch (AudioFileException e)
        {
            unreadable.Add(e.Message);
            return null;
        }
    }
}
