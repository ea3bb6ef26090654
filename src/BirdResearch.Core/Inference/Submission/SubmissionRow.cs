namespace BirdResearch.Inference.Submission;

/// <summary>A stretch of a recording that gets a row.</summary>
/// <param name="Id"><c>&lt;stem&gt;_&lt;end&gt;</c>.</param>
/// <param name="Start">First second.</param>
/// <param name="End">Second after the last.</param>
public sealed record SubmissionRow(string Id, double Start, double End);
