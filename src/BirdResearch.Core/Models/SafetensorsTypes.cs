using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Element types that safetensors and torch share.</summary>
static class SafetensorsTypes
{
    static readonly (string Name, ScalarType Type, int Size)[] Known =
    [
        ("F64", ScalarType.Float64, 8), ("F32", ScalarType.Float32, 4), ("F16", ScalarType.Float16, 2), ("BF16", ScalarType.BFloat16, 2),
        ("I64", ScalarType.Int64, 8), ("I32", ScalarType.Int32, 4), ("I16", ScalarType.Int16, 2), ("I8", ScalarType.Int8, 1),
        ("U8", ScalarType.Byte, 1), ("BOOL", ScalarType.Bool, 1),
    ];

    public static string Names => string.Join(", ", Known.Select(k => k.Name));

    /// <summary>Bytes per element; null for a type that is not read.</summary>
    public static int? Size(string name) => Known.FirstOrDefault(k => k.Name == name) is { Name: not null } known ? known.Size : null;

    public static ScalarType Type(string name) => Known.First(k => k.Name == name).Type;

    public static bool IsFloating(ScalarType type) =>
        type is ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    public static string Name(ScalarType type) => Known.FirstOrDefault(k => k.Type == type).Name
        ?? throw new ArgumentException($"safetensors has no element type for {type}; it has {Names}.");
}
