namespace BirdResearch.Data;

/// <summary>
/// The layout of the BirdCLEF competitions, 2024's above all: <c>train_metadata.csv</c> over <c>train_audio/</c>, labelled soundscapes
/// beside it, and a folder of soundscapes without labels. Each part may be absent, but not all.
/// </summary>
static class BirdClefLayout
{
    public const string Name = "birdclef";
    const string Metadata = "train_metadata.csv";
    const string Extra = "train_extra.csv";
    const string Submission = "sample_submission.csv";
    const string Audio = "train_audio";

    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, Metadata)) || SoundscapeTruth.IsIn(folder);

    public static Dataset Read(string name, string root)
    {
        var (sizes, leftOut, notes) = (new Dictionary<string, long>(), new List<LeftOutFile>(), new List<string>());
        var table = File.Exists(Path.Combine(root, Metadata))
            ? CsvTable.Read(Path.Combine(root, Metadata), "primary_label", "secondary_labels", "filename")
            : null;
        if (table is { Rows.Count: 0 }) throw new InvalidDataException($"{Metadata} of {root} has no rows.");
        var rows = table is null ? [] : Rows(table, root, notes);
        var (focal, groupedBy) = FocalClips.From(root, Metadata, rows, sizes, leftOut, notes);

        var labels = SoundscapeTruth.Read(root);
        var named = rows.Select(r => r.Labels[0]).Concat(Submitted(root, notes));
        if (table is null) named = named.Concat(labels.SelectMany(row => row.Labels)).Concat(SoundscapeTruth.Columns(root));
        string[] classes = [.. named.Distinct().Order(StringComparer.Ordinal)];
        if (classes.Length == 0) throw new InvalidDataException($"The tables of {root} name no class.");

        var soundscapes = SoundscapeWindows.From(root, labels, classes, sizes, notes);
        return new Dataset
        {
            Name = name,
            Root = root,
            Layout = Name,
            Classes = classes,
            CommonNames = CommonNames(table, root),
            Focal = focal,
            Soundscapes = soundscapes,
            Unlabelled = SoundscapeFiles.Unlabelled(root),
            NoCall = SoundscapeFiles.NoCall(root),
            Labelling = Labelling.MultiLabel,
            GroupedBy = groupedBy,
            ContentKey = ContentKeys.Of(Labelling.MultiLabel, classes, focal.Concat(soundscapes), sizes),
            Notes = notes,
            LeftOut = leftOut,
        };
    }

    static List<FocalRow> Rows(CsvTable table, string root, List<string> notes)
    {
        var extra = ExtraByFile(root, table, notes);
        var rows = new List<FocalRow>(table.Rows.Count);
        foreach (var row in table.Rows)
        {
            var (label, path) = (row.Text("primary_label"), row.RelativePath("filename"));
            if (label.Any(char.IsWhiteSpace)) throw row.Wrong("primary_label", $"'{label}' has a space in it; expected one code");
            var more = extra.GetValueOrDefault(path);
            rows.Add(new FocalRow(
                Audio, path, [label],
                [.. row.Strings("secondary_labels").Where(s => s.Length > 0 && s != label).Distinct()],
                more?.OrNull("recordist_group") ?? row.OrNull("author"),
                more?.Integer("fold"),
                Facts(row)));
        }
        return rows;
    }

    static RecordingFacts Facts(CsvRow row) => new()
    {
        Author = row.OrNull("author"),
        License = row.OrNull("license"),
        Url = row.OrNull("url"),
        Types = row.Strings("type"),
        Latitude = row.Number64("latitude"),
        Longitude = row.Number64("longitude"),
        Rating = row.Number64("rating") is > 0 and var rating ? rating : null,   // Xeno-canto's 0 means that nobody rated it
    };

    static Dictionary<string, CsvRow> ExtraByFile(string root, CsvTable table, List<string> notes)
    {
        var path = Path.Combine(root, Extra);
        if (!File.Exists(path)) return [];
        var byFile = new Dictionary<string, CsvRow>();
        foreach (var row in CsvTable.Read(path, "filename").Rows)
            if (!byFile.TryAdd(row.RelativePath("filename"), row)) throw row.Wrong("filename", "is in the table twice");
        var without = table.Rows.Count(r => !byFile.ContainsKey(r.RelativePath("filename")));
        if (without > 0) notes.Add($"{without} of {table.Rows.Count} recordings have no row in {Extra}.");
        return byFile;
    }

    /// <summary>Class columns of the submission file, which a model has to fill even where nothing was recorded to train on.</summary>
    static string[] Submitted(string root, List<string> notes)
    {
        var path = Path.Combine(root, Submission);
        if (!File.Exists(path)) return [];
        string[] columns = [.. CsvTable.Columns(path).Where(c => c is not ("row_id" or ""))];
        if (!columns.Order(StringComparer.Ordinal).SequenceEqual(columns))
            notes.Add($"{Submission} has its classes in another order than ours, which is ordinal by code; match columns by name.");
        return columns;
    }

    static Dictionary<string, string> CommonNames(CsvTable? metadata, string root)
    {
        var taxonomy = Path.Combine(root, "taxonomy.csv");
        var names = new Dictionary<string, string>();
        foreach (var table in new[] { metadata, File.Exists(taxonomy) ? CsvTable.Read(taxonomy, "primary_label") : null })
            foreach (var row in table?.Rows ?? [])
                if (row.OrNull("common_name") is { } common) names.TryAdd(row["primary_label"], common);
        return names;
    }
}
