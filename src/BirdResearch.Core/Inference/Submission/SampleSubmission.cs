using BirdResearch.Data;

namespace BirdResearch.Inference.Submission;

/// <summary>What a competition's <c>sample_submission.csv</c> asks for: columns, and rows by recording.</summary>
/// <param name="Columns">Class columns in file order.</param>
/// <param name="Rows">Ends of windows in seconds with their ids, by recording, in file order.</param>
public sealed record SampleSubmission(IReadOnlyList<string> Columns, IReadOnlyDictionary<string, IReadOnlyList<(string Id, double End)>> Rows)
{
    /// <summary>Column of the row ids.</summary>
    public const string IdColumn = "row_id";

    /// <summary>Reads the file; a row id that is not <c>&lt;recording&gt;_&lt;end&gt;</c>, or one twice, is an error that names the row.</summary>
    public static SampleSubmission Read(string path)
    {
        var table = CsvTable.Read(path, IdColumn);
        var rows = new OrderedDictionary<string, List<(string, double)>>();
        var known = new HashSet<string>();
        foreach (var row in table.Rows)
        {
            var id = row.Text(IdColumn);
            if (RowId.Parts(id) is not (var stem, < 1e7 and var end)) throw row.Wrong(IdColumn, $"is '{id}'; expected <recording>_<end second>");
            if (!known.Add(id)) throw row.Wrong(IdColumn, $"'{id}' is in the table twice");
            if (!rows.TryGetValue(stem, out var ends)) rows[stem] = ends = [];
            ends.Add((id, end));
        }
        string[] columns = [.. table.Header.Where(c => c is not (IdColumn or ""))];
        if (columns.Length == 0) throw new InvalidDataException($"{path} has no class column beside '{IdColumn}'.");
        return new SampleSubmission(columns, rows.ToDictionary(r => r.Key, r => (IReadOnlyList<(string, double)>)r.Value));
    }
}
