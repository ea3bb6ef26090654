namespace BirdResearch.Experiments;

/// <summary>A window on which an exported model is compared with torch.</summary>
/// <param name="Name">What it holds, for messages.</param>
/// <param name="Samples">Its samples.</param>
sealed record ExportWindow(string Name, float[] Samples);
