using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace BirdResearch.Notebooks.Display;

/// <summary>Plotly's typed arrays: <c>{"dtype": "f8", "bdata": base64, "shape": "2, 3"}</c>.</summary>
static class TypedArrays
{
    /// <summary>A copy with every typed array as a plain one; NaN and infinity become null, which plotly takes for a gap.</summary>
    public static JsonNode? WrittenOut(JsonNode? node) => node switch
    {
        JsonObject typed when typed["bdata"] is JsonValue data && typed["dtype"] is JsonValue type =>
            Shaped(Decoded(Convert.FromBase64String(data.GetValue<string>()), type.GetValue<string>()), typed["shape"]?.ToString()),
        JsonObject plain => new JsonObject(plain.Select(p => KeyValuePair.Create(p.Key, WrittenOut(p.Value)))),
        JsonArray array => new JsonArray([.. array.Select(item => IsNoNumber(item) ? null : WrittenOut(item))]),
        _ => node?.DeepClone(),
    };

    static JsonNode?[] Decoded(byte[] bytes, string type)
    {
        var (size, read) = ReaderOf(type);
        return [.. Enumerable.Range(0, bytes.Length / size).Select(i => read(bytes.AsSpan(i * size, size)))];
    }

    delegate JsonNode? Reader(ReadOnlySpan<byte> bytes);

    static (int Size, Reader Read) ReaderOf(string type) => type switch
    {
        "f8" or "float64" => (8, b => Finite(BinaryPrimitives.ReadDoubleLittleEndian(b))),
        "f4" or "float32" => (4, b => Finite(BinaryPrimitives.ReadSingleLittleEndian(b))),
        "i4" or "int32" => (4, b => BinaryPrimitives.ReadInt32LittleEndian(b)),
        "u4" or "uint32" => (4, b => BinaryPrimitives.ReadUInt32LittleEndian(b)),
        "i2" or "int16" => (2, b => BinaryPrimitives.ReadInt16LittleEndian(b)),
        "u2" or "uint16" => (2, b => BinaryPrimitives.ReadUInt16LittleEndian(b)),
        "i1" or "int8" => (1, b => (sbyte)b[0]),
        "u1" or "uint8" or "u1c" or "uint8c" => (1, b => b[0]),
        _ => throw new NotSupportedException($"A chart holds an array of type '{type}', which plotly does not know."),
    };

    // So Plotly.NET writes them in a plain array.
    static bool IsNoNumber(JsonNode? item) => item is JsonValue value && value.TryGetValue<string>(out var text) && text is ("NaN" or "Infinity" or "-Infinity");

    static JsonNode? Finite(double value) => double.IsFinite(value) ? value : null;

    static JsonArray Shaped(JsonNode?[] values, string? shape)
    {
        var lengths = shape?.Split(',').Select(int.Parse).ToArray() ?? [values.Length];
        if (lengths.Length == 1) return new JsonArray(values);
        var each = values.Length / Math.Max(1, lengths[0]);
        var inner = string.Join(',', lengths.Skip(1));
        return new JsonArray([.. values.Chunk(Math.Max(1, each)).Select(part => Shaped(part, inner))]);
    }
}
