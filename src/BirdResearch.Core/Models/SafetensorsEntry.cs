namespace BirdResearch.Models;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Type">Its element type as the file spells it: <c>F32</c>, <c>I64</c>, ...</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Offset">Where its bytes begin, counted from the end of the header.</param>
/// <param name="Length">How many bytes it has.</param>
public sealed record SafetensorsEntry(string Key, string Type, IReadOnlyList<long> Shape, long Offset, long Length);
