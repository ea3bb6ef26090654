namespace BirdResearch.Data;

/// <summary>The layout of ESC-10 and ESC-50 (Piczak 2015): one csv with folds over <c>audio/</c>, exactly one category per clip.</summary>
static class EscLayout
{
    public const string Name = "esc";
    const string Audio = "audio";
    static readonly string[] _tables = ["esc10.csv", "esc50.csv", "meta/esc10.csv", "meta/esc50.csv"];

    public static bool IsIn(string folder) => TableIn(folder) is not null;

    public static Dataset Read(string name, string root)
    {
        var table = CsvTable.Read(TableIn(root)!, "filename", "fold", "target", "category");
        if (table.Rows.Count == 0) throw new InvalidDataException($"{table.Name} of {root} has no rows.");
        RequireOneTargetEach(table);
        var (sizes, leftOut, notes) = (new Dictionary<string, long>(), new List<LeftOutFile>(), new List<string>());
        FocalRow[] rows = [.. table.Rows.Select(row => new FocalRow(
            Audio, row.RelativePath("filename"), [row.Text("category")], [],
            row.OrNull("source_id") ?? row.OrNull("src_file"),
            row.Integer("fold") ?? throw row.Wrong("fold", "is empty"),
            new RecordingFacts { Author = row.OrNull("author"), License = row.OrNull("license"), Url = row.OrNull("source_url") }))];
        var (clips, groupedBy) = FocalClips.From(root, table.Name, rows, sizes, leftOut, notes);
        string[] classes = [.. rows.Select(r => r.Labels[0]).Distinct().Order(StringComparer.Ordinal)];
        return new Dataset
        {
            Name = name,
            Root = root,
            Layout = Name,
            Classes = classes,
            CommonNames = classes.ToDictionary(c => c, c => c.Replace('_', ' ')),
            Focal = clips,
            Labelling = Labelling.SingleLabel,
            GroupedBy = groupedBy,
            ContentKey = ContentKeys.Of(Labelling.SingleLabel, classes, clips, sizes),
            Notes = notes,
            LeftOut = leftOut,
        };
    }

    static string? TableIn(string folder) => _tables.Select(t => Path.Combine(folder, t)).FirstOrDefault(File.Exists);

    /// <summary>Category and number must say the same; a shifted column would otherwise train silently.</summary>
    static void RequireOneTargetEach(CsvTable table)
    {
        var (categoryOf, targetOf) = (new Dictionary<int, string>(), new Dictionary<string, int>());
        foreach (var row in table.Rows)
        {
            var (category, target) = (row.Text("category"), row.Integer("target") ?? throw row.Wrong("target", "is empty"));
            categoryOf.TryAdd(target, category);
            targetOf.TryAdd(category, target);
            if (categoryOf[target] != category) throw row.Wrong("target", $"{target} stands for {categoryOf[target]} and for {category}");
            if (targetOf[category] != target) throw row.Wrong("category", $"{category} has the targets {targetOf[category]} and {target}");
        }
    }
}
