using System.Globalization;
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
            var bar = id.LastIndexOf('_');
            if (bar < 1 || !double.TryParse(id.AsSpan(bar + 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var end) || end is not (> 0 and < 1e7))
                throw row.Wrong(IdColumn, $"is '{id}'; expected <recording>_<end second>");
            if (!known.Add(id)) throw row.Wrong(IdColumn, $"'{id}' is in the table twice");
            if (!rows.TryGetValue(id[..bar], out var ends)) rows[id[..bar]] = ends = [];
            ends.Add((id, end));
        }
        string[] columns = [.. table.Header.Where(c => c is not (IdColumn or ""))];
        if (columns.Length == 0) throw new InvalidDataException($"{path} has no class column beside '{IdColumn}'.");
        return new SampleSubmission(columns, rows.ToDictionary(r => r.Key, r => (IReadOnlyList<(string, double)>)r.Value));
    }
}
