using BirdResearch.Data;
using BirdResearch.Metrics;

namespace BirdResearch.Inference.Submission;

/// <summary>Joins a submission with the truth by row id.</summary>
public static class SubmissionScoring
{
    /// <summary>
    /// Scores of the rows of the truth. A submission that lacks a row or a class of the truth is an error that names it; rows and classes that
    /// the truth lacks are left out.
    /// </summary>
    /// <param name="submission">File with <c>row_id</c> and a probability per class.</param>
    /// <param name="truth">File with <c>row_id</c> and 0 or 1 per class, or with <c>row_id</c> and <c>birds</c>: codes, or nocall.</param>
    public static Scores Join(string submission, string truth)
    {
        if (!File.Exists(submission)) throw new FileNotFoundException($"There is no submission '{submission}'.", submission);
        if (!File.Exists(truth)) throw new FileNotFoundException($"There is no truth '{truth}'.", truth);
        var (ids, columns, given) = SubmissionFile.Read(submission);
        var place = ids.Select((id, i) => (id, i)).GroupBy(r => r.id).ToDictionary(
            g => g.Key, g => g.Count() == 1 ? g.First().i : throw new InvalidDataException($"'{submission}' has the row '{g.Key}' {g.Count()} times."));
        var outside = Enumerable.Range(0, given.Length).FirstOrDefault(i => given[i] is not (>= 0 and <= 1), -1);
        if (outside >= 0)
            throw new InvalidDataException($"'{submission}', row {ids[outside / columns.Count]}, {columns[outside % columns.Count]}: {given[outside]} is no probability.");

        var table = CsvTable.Read(truth, SampleSubmission.IdColumn);
        var listed = table.Has("birds");
        string[] classes = listed ? [.. columns] : [.. table.Header.Where(c => c is not (SampleSubmission.IdColumn or ""))];
        var from = classes.Select(c => columns.ToList().IndexOf(c) is >= 0 and var at
            ? at : throw new InvalidDataException($"'{submission}' has no column '{c}', which the truth has.")).ToArray();
        var (names, labels, values) = (new List<string>(), new List<bool>(), new List<double>());
        foreach (var row in table.Rows)
        {
            var id = row.Text(SampleSubmission.IdColumn);
            if (!place.TryGetValue(id, out var at)) throw new InvalidDataException($"'{submission}' has no row '{id}', which the truth has.");
            var heard = listed ? row["birds"].Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet() : null;
            names.Add(id);
            for (var c = 0; c < classes.Length; c++)
            {
                labels.Add(heard?.Contains(classes[c]) ?? row.Number64(classes[c]) switch
                {
                    0 => false,
                    1 => true,
                    _ => throw row.Wrong(classes[c], $"is '{row[classes[c]]}'; expected 0 or 1"),
                });
                values.Add(given[(at * columns.Count) + from[c]]);
            }
        }
        if (names.Count == 0) throw new InvalidDataException($"'{truth}' has no rows.");
        return new Scores("soundscape", names, classes, [.. labels], [.. values]);
    }
}
