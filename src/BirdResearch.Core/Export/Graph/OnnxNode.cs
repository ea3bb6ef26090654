namespace BirdResearch.Export.Graph;

/// <summary>One operation of a graph.</summary>
/// <param name="Operator">Name in ONNX's default operator set.</param>
/// <param name="Inputs">What it reads; an empty name leaves an optional input out.</param>
/// <param name="Outputs">What it makes.</param>
/// <param name="Attributes">Its settings.</param>
public sealed record OnnxNode(
    string Operator, IReadOnlyList<OnnxValue> Inputs, IReadOnlyList<OnnxValue> Outputs, IReadOnlyList<OnnxAttribute> Attributes);
