namespace BirdResearch.Export.Graph;

/// <summary>A constant tensor: an initialiser of the graph, or the tensor of an attribute.</summary>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions; none for a scalar.</param>
/// <param name="Bytes">Little-endian elements, row-major.</param>
public sealed record OnnxConstant(OnnxType Type, IReadOnlyList<long> Shape, byte[] Bytes);
