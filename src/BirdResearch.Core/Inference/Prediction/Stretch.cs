using BirdResearch.Inference.Submission;

namespace BirdResearch.Inference.Prediction;

/// <summary>Neighbouring rows of a recording that are decoded together.</summary>
/// <param name="Recording">The recording.</param>
/// <param name="First">Place of the first row among those of the recording.</param>
/// <param name="Count">Rows.</param>
sealed record Stretch(PlannedRecording Recording, int First, int Count)
{
    /// <summary>Place of the first row among all rows.</summary>
    public int FirstRow => Recording.First + First;

    public IEnumerable<SubmissionRow> Rows => Recording.Rows.Skip(First).Take(Count);

    public double Start => Recording.Rows[First].Start;

    public double End => Recording.Rows[First + Count - 1].End;

    /// <summary>The rows of every recording that can be read, in stretches of at most that many.</summary>
    public static IReadOnlyList<Stretch> Of(SubmissionPlan plan, int most) =>
        [.. from recording in plan.Recordings
            where recording.Recording is { Path: not null, Trouble: null }
            from first in Enumerable.Range(0, (recording.Rows.Count + most - 1) / most).Select(i => i * most)
            select new Stretch(recording, first, Math.Min(most, recording.Rows.Count - first))];
}
