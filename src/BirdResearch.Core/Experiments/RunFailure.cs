namespace BirdResearch.Experiments;

/// <summary>A run that could not be trained.</summary>
/// <param name="Run">Its name.</param>
/// <param name="Message">Why.</param>
public sealed record RunFailure(string Run, string Message);
