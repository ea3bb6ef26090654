using System.Globalization;
using BirdResearch.Data;
using BirdResearch.Files;

namespace BirdResearch.Inference.Submission;

/// <summary>The file that is handed in: a row per window, a probability per class. It is whole at any moment, whatever happens.</summary>
public static class SubmissionFile
{
    /// <summary>Writes the file beside its place and renames it, so that an older one stays until the new one is complete.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="plan">Rows and columns.</param>
    /// <param name="scores">Rows x columns probabilities, row-major.</param>
    public static void Write(string path, SubmissionPlan plan, ReadOnlyMemory<float> scores)
    {
        var columns = plan.Columns.Count;
        if (scores.Length != plan.Rows.Count * columns)
            throw new ArgumentException($"{plan.Rows.Count} rows of {columns} columns need as many scores, not {scores.Length}.");
        WholeFile.Write(path, beside =>
        {
            using var text = new StreamWriter(beside);
            text.NewLine = "\n";
            text.WriteLine(string.Join(',', plan.Columns.Prepend(SampleSubmission.IdColumn).Select(Quoted)));
            var cell = (stackalloc char[32]);
            for (var r = 0; r < plan.Rows.Count; r++)
            {
                text.Write(Quoted(plan.Rows[r].Id));
                foreach (var score in scores.Span.Slice(r * columns, columns))
                {
                    if (score is not (>= 0 and <= 1)) throw new InvalidOperationException($"The score {score} of row {plan.Rows[r].Id} is no probability.");
                    score.TryFormat(cell, out var length, "G6", CultureInfo.InvariantCulture);
                    text.Write(',');
                    text.Write(cell[..length]);
                }
                text.WriteLine();
            }
        });
    }

    /// <summary>Reads a file of that form back: ids, columns and row-major scores.</summary>
    public static (IReadOnlyList<string> Ids, IReadOnlyList<string> Columns, double[] Scores) Read(string path)
    {
        var table = CsvTable.Read(path, SampleSubmission.IdColumn);
        string[] columns = [.. table.Header.Where(c => c is not (SampleSubmission.IdColumn or ""))];
        var scores = new double[table.Rows.Count * columns.Length];
        for (var r = 0; r < table.Rows.Count; r++)
            for (var c = 0; c < columns.Length; c++)
                scores[(r * columns.Length) + c] = table.Rows[r].Number64(columns[c]) ?? throw table.Rows[r].Wrong(columns[c], "is empty");
        return ([.. table.Rows.Select(row => row.Text(SampleSubmission.IdColumn))], columns, scores);
    }

    static string Quoted(string text) => text.AsSpan().IndexOfAny(",\"\n\r") < 0 ? text : $"\"{text.Replace("\"", "\"\"")}\"";
}
