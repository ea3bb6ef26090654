namespace BirdResearch.Notebooks.Cells;

/// <summary>One proposal.</summary>
/// <param name="Text">What is written.</param>
/// <param name="Kind">Jupyter's experimental type: <c>function</c>, <c>class</c>, <c>instance</c>, <c>module</c>, <c>property</c>, <c>keyword</c>, <c>magic</c> ...</param>
/// <param name="Signature">A signature or type, where it is cheap to have; else empty.</param>
public sealed record Completion(string Text, string Kind, string Signature = "");
