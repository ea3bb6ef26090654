namespace BirdResearch.Inference.Prediction;

/// <summary>What a listener hears while recordings are scored.</summary>
/// <param name="Done">Rows that every member which has the time for it has scored.</param>
/// <param name="Total">Rows in all.</param>
/// <param name="Left">Predicted time that is left, or null before anything was measured.</param>
/// <param name="Note">A sentence for the log, or null.</param>
public sealed record PredictionProgress(int Done, int Total, TimeSpread? Left, string? Note = null);
