namespace BirdResearch.Export.Graph;

/// <summary>A tensor that flows through an <see cref="OnnxGraph"/>, by its name.</summary>
/// <param name="Name">Unique within the graph.</param>
public readonly record struct OnnxValue(string Name);
