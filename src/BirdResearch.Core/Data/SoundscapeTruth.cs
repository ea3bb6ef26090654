namespace BirdResearch.Data;

/// <summary>The tables that say what is heard in soundscapes: a list of codes (or nocall) per window, or a 0/1 column per class.</summary>
static class SoundscapeTruth
{
    const string List = "soundscape_labels.csv";
    const string Matrix = "soundscape_truth.csv";
    const string NoCall = "nocall";

    public static bool IsIn(string root) => File.Exists(Path.Combine(root, List)) || File.Exists(Path.Combine(root, Matrix));

    /// <summary>Every labelled window, by soundscape and time; where both tables are there they must agree.</summary>
    public static IReadOnlyList<SoundscapeRow> Read(string root)
    {
        var listed = File.Exists(Path.Combine(root, List)) ? Listed(Path.Combine(root, List)) : null;
        var marked = File.Exists(Path.Combine(root, Matrix)) ? Marked(Path.Combine(root, Matrix)) : null;
        if (listed is not null && marked is not null) RequireAgreement(listed, marked, Columns(root));
        var rows = new Dictionary<string, SoundscapeRow>(marked ?? []);
        foreach (var (id, row) in listed ?? []) rows[id] = row;   // a list can name what the matrix has no column for
        return [.. rows.Values.OrderBy(r => r.Stem, StringComparer.Ordinal).ThenBy(r => r.EndSecond)];
    }

    /// <summary>Class columns of the 0/1 table; none where there is no such table.</summary>
    public static IReadOnlyList<string> Columns(string root) => File.Exists(Path.Combine(root, Matrix))
        ? [.. CsvTable.Columns(Path.Combine(root, Matrix)).Where(IsClass)]
        : [];

    static bool IsClass(string column) => column is not ("row_id" or "");

    static Dictionary<string, SoundscapeRow> Listed(string path) =>
        ById(CsvTable.Read(path, "row_id", "birds"), row =>
            [.. row["birds"].Split(' ', StringSplitOptions.RemoveEmptyEntries).Where(b => b != NoCall).Distinct()]);

    static Dictionary<string, SoundscapeRow> Marked(string path)
    {
        var table = CsvTable.Read(path, "row_id");
        string[] columns = [.. table.Header.Where(IsClass)];
        return ById(table, row => [.. columns.Where(c => row.Number64(c) switch
        {
            0 => false,
            1 => true,
            _ => throw row.Wrong(c, $"is '{row[c]}'; expected 0 or 1"),
        })]);
    }

    static Dictionary<string, SoundscapeRow> ById(CsvTable table, Func<CsvRow, IReadOnlyList<string>> labels)
    {
        var rows = new Dictionary<string, SoundscapeRow>(table.Rows.Count);
        foreach (var row in table.Rows)
        {
            var id = row.Text("row_id");
            if (RowId.Parts(id) is not (var stem, < 1e6 and var end)) throw row.Wrong("row_id", $"is '{id}'; expected <soundscape>_<end second>");
            if (!rows.TryAdd(id, new SoundscapeRow(id, stem, end, labels(row)))) throw row.Wrong("row_id", $"'{id}' is in the table twice");
        }
        return rows;
    }

    static void RequireAgreement(
        Dictionary<string, SoundscapeRow> listed, Dictionary<string, SoundscapeRow> marked, IReadOnlyList<string> columns)
    {
        foreach (var (id, row) in listed)
            if (marked.TryGetValue(id, out var other) && !row.Labels.Intersect(columns).ToHashSet().SetEquals(other.Labels))
                throw new InvalidDataException(
                    $"{List} and {Matrix} disagree on {id}: '{string.Join(' ', row.Labels)}' against " +
                    $"'{string.Join(' ', other.Labels)}'. Remove the table that is wrong.");
    }
}
