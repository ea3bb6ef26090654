namespace BirdResearch.Inference.Submission;

/// <summary>A recording to score.</summary>
/// <param name="Path">Its file; null for one that only the sample submission names.</param>
/// <param name="Stem">File name without extension: the first part of its row ids.</param>
/// <param name="Seconds">Its length as its header says; null where it cannot be read.</param>
/// <param name="Trouble">Why it cannot be read, or null.</param>
public sealed record TestRecording(string? Path, string Stem, double? Seconds, string? Trouble);
