using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>One tensor of a weight file.</summary>
/// <param name="Key">Its name in the file.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its dimensions.</param>
public sealed record WeightEntry(string Key, ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Number of its elements.</summary>
    public long Count => Shape.Aggregate(1L, (a, b) => a * b);

    /// <summary>Its element type as safetensors spells it: <c>F32</c>, <c>I64</c>, ...</summary>
    public string TypeName => SafetensorsTypes.Name(Type);
}
