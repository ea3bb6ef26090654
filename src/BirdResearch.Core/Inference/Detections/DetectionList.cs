using BirdResearch.Inference.Submission;

namespace BirdResearch.Inference.Detections;

/// <summary>Finds what stands out of a table of scores.</summary>
public static class DetectionList
{
    /// <summary>Every class whose score reaches the threshold, window by window, the strongest first.</summary>
    /// <param name="plan">Rows and columns.</param>
    /// <param name="scores">Rows x columns probabilities.</param>
    /// <param name="threshold">Least score, 0 to 1.</param>
    /// <param name="most">Most classes per window.</param>
    /// <param name="names">Readable names.</param>
    public static IReadOnlyList<Detection> Of(SubmissionPlan plan, ReadOnlyMemory<float> scores, double threshold, int most, SpeciesNames names)
    {
        if (threshold is not (>= 0 and <= 1)) throw new ArgumentException($"The threshold is {threshold}; it must lie between 0 and 1.");
        var found = new List<Detection>();
        foreach (var recording in plan.Recordings)
            for (var i = 0; i < recording.Rows.Count; i++)
            {
                var row = recording.Rows[i];
                var at = (recording.First + i) * plan.Columns.Count;
                found.AddRange(Enumerable.Range(0, plan.Columns.Count)
                    .Select(c => (Name: plan.Columns[c], Score: scores.Span[at + c]))
                    .Where(c => c.Score >= threshold)
                    .OrderByDescending(c => c.Score).ThenBy(c => c.Name, StringComparer.Ordinal).Take(most)
                    .Select(c => new Detection(
                        recording.Recording.Path ?? recording.Recording.Stem, row.Start, row.End, c.Name,
                        names.Common.GetValueOrDefault(c.Name, c.Name), names.Scientific.GetValueOrDefault(c.Name, ""), c.Score)));
            }
        return found;
    }
}
