namespace BirdResearch.Export.Graph;

/// <summary>An input or output of a graph.</summary>
/// <param name="Value">The value.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions: a number, or the name of one that is free; null leaves the shape open, as bodies of loops may.</param>
public sealed record OnnxPort(OnnxValue Value, OnnxType Type, IReadOnlyList<object>? Shape);
