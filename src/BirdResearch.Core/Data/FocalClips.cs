namespace BirdResearch.Data;

/// <summary>Turns the rows of a layout into clips: files checked, ids unique, groups and folds settled, ordered by id.</summary>
static class FocalClips
{
    /// <summary>The clips, and what a split must keep together: <c>fold</c>, <c>author</c> or <c>recording</c>.</summary>
    /// <param name="root">Folder of the data set.</param>
    /// <param name="table">Name of the csv, for messages.</param>
    /// <param name="rows">What it lists.</param>
    /// <param name="sizes">Receives the length in bytes of every file that is kept.</param>
    /// <param name="leftOut">Receives the files that were left out.</param>
    /// <param name="notes">Receives what was left out and why.</param>
    public static (IReadOnlyList<Clip> Clips, string GroupedBy) From(
        string root, string table, IReadOnlyList<FocalRow> rows, Dictionary<string, long> sizes, List<LeftOutFile> leftOut, List<string> notes)
    {
        if (rows.GroupBy(r => r.File).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidDataException($"{table} lists {twice.Key} {twice.Count()} times; a recording has one row.");
        var present = Present(root, table, rows, sizes, leftOut, notes);
        var foldsGiven = FoldsGiven(table, present, notes);
        var groups = Groups(present, foldsGiven, notes);
        var stems = present.CountBy(r => r.Stem).ToDictionary();
        var paths = present.CountBy(r => WithoutExtension(r.Path)).ToDictionary();
        Clip[] clips = [.. present.Select((row, i) => new Clip
        {
            Id = stems[row.Stem] == 1 ? row.Stem : paths[WithoutExtension(row.Path)] == 1 ? WithoutExtension(row.Path) : row.Path,
            File = row.File,
            Labels = row.Labels,
            SecondaryLabels = row.Secondary,
            Group = groups[i],
            Fold = foldsGiven ? row.Fold : null,
            Facts = row.Facts,
        }).OrderBy(c => c.Id, StringComparer.Ordinal)];
        return (clips, foldsGiven ? "fold" : present.Any(r => r.Source is not null) ? "author" : "recording");
    }

    static List<FocalRow> Present(
        string root, string table, IReadOnlyList<FocalRow> rows, Dictionary<string, long> sizes, List<LeftOutFile> leftOut, List<string> notes)
    {
        var (present, missing, empty) = (new List<FocalRow>(rows.Count), new List<string>(), new List<string>());
        foreach (var row in rows)
        {
            var file = new FileInfo(SafePath.Inside(Path.Combine(root, row.Folder), row.Path));
            if (!file.Exists) missing.Add(row.File);
            else if (file.Length == 0) empty.Add(row.File);
            else
            {
                sizes[row.File] = file.Length;
                present.Add(row);
            }
        }
        LeaveOut(missing, "missing", "missing");
        LeaveOut(empty, "empty", "empty (0 bytes)");
        return present;

        void LeaveOut(List<string> files, string reason, string why)
        {
            if (files.Count == 0) return;
            files.Sort(StringComparer.Ordinal);
            leftOut.AddRange(files.Select(file => new LeftOutFile(file, reason)));
            var what = $"{files.Count} of {rows.Count} files of {table} {(files.Count == 1 ? "is" : "are")} {why}, first: {files[0]}";
            if (files.Count == rows.Count) throw new InvalidDataException($"{what}. They belong below {root}.");
            notes.Add($"{what}. Their rows are left out.");
        }
    }

    static bool FoldsGiven(string table, List<FocalRow> rows, List<string> notes)
    {
        var with = rows.Count(r => r.Fold is not null);
        if (with > 0 && with < rows.Count)
            notes.Add($"Only {with} of the {rows.Count} recordings of {table} have a fold, so the folds are not used.");
        return rows.Count > 0 && with == rows.Count;
    }

    /// <summary>A group for every row, the same whatever the order of the rows.</summary>
    static string[] Groups(List<FocalRow> rows, bool foldsGiven, List<string> notes)
    {
        // A recording is listed under each of its species; one row may know the author where another does not.
        var sourceOf = rows.Where(r => r.Source is not null).GroupBy(r => r.Stem)
            .ToDictionary(g => g.Key, g => g.Select(r => r.Source!).Distinct().ToArray());
        string[] groups = [.. rows.Select(r =>
            r.Source ?? (sourceOf.TryGetValue(r.Stem, out var known) && known.Length == 1 ? known[0] : r.Stem))];
        if (!foldsGiven) return groups;

        var foldsOf = rows.Zip(groups).GroupBy(p => p.Second).ToDictionary(g => g.Key, g => g.Select(p => p.First.Fold).Distinct().Count());
        var divided = foldsOf.Count(g => g.Value > 1);
        if (divided == 0) return groups;
        notes.Add(
            $"The given folds divide {divided} of {foldsOf.Count} authors or sources, so one of them can be on both sides of a split.");
        return [.. rows.Zip(groups, (row, group) => foldsOf[group] > 1 ? $"{group}/fold{row.Fold}" : group)];
    }

    static string WithoutExtension(string path) => path[..^Path.GetExtension(path).Length];
}
