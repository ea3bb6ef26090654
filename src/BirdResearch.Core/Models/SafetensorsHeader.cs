using System.Text;
using System.Text.Json;

namespace BirdResearch.Models;

/// <summary>
/// The header of a safetensors file: 8 bytes of length (little-endian), then a JSON object that gives type, shape and byte range per
/// tensor. The ranges must cover what follows exactly, without gap or overlap. github.com/huggingface/safetensors, section Format.
/// </summary>
static class SafetensorsHeader
{
    /// <summary>The format's own limit on the JSON text.</summary>
    public const long LongestText = 100_000_000;

    const string MetadataKey = "__metadata__";

    /// <summary>Reads the JSON text; <paramref name="data"/> is the number of bytes after it. Throws <see cref="InvalidDataException"/>.</summary>
    public static (IReadOnlyList<SafetensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata) Parse(byte[] text, long data, string path)
    {
        if (text.Length == 0 || text[0] != '{') throw Broken(path, "its header does not begin with '{'");
        try
        {
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(text);
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 8 });
            var metadata = new Dictionary<string, string>();
            var entries = new List<SafetensorsEntry>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (property.Name != MetadataKey) entries.Add(Entry(property, data, path));
                else foreach (var (key, value) in Texts(property.Value, path)) metadata.Add(key, value);
            }
            RequireCover(entries, data, path);
            return (entries, metadata);
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException or InvalidOperationException)
        {
            throw Broken(path, $"its header is not valid JSON ({e.Message})");
        }
    }

    static IEnumerable<(string Key, string Value)> Texts(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.Object) throw Broken(path, $"{MetadataKey} is not an object");
        foreach (var text in value.EnumerateObject())
        {
            if (text.Value.ValueKind != JsonValueKind.String) throw Broken(path, $"{MetadataKey} '{text.Name}' is not a text");
            yield return (text.Name, text.Value.GetString()!);
        }
    }

    static SafetensorsEntry Entry(JsonProperty property, long data, string path)
    {
        var key = property.Name;
        if (property.Value.ValueKind != JsonValueKind.Object) throw Broken(path, $"'{key}' is not an object");
        foreach (var field in property.Value.EnumerateObject())
            if (field.Name is not ("dtype" or "shape" or "data_offsets")) throw Broken(path, $"'{key}' has an unknown field '{field.Name}'");

        var type = property.Value.TryGetProperty("dtype", out var dtype) && dtype.ValueKind == JsonValueKind.String
            ? dtype.GetString()! : throw Broken(path, $"'{key}' has no dtype");
        var size = SafetensorsTypes.Size(type) ?? throw Broken(path, $"'{key}' has the dtype {type}; read are {SafetensorsTypes.Names}");
        var shape = Numbers(property.Value, "shape", key, path);
        var range = Numbers(property.Value, "data_offsets", key, path);
        if (range.Length != 2 || range[0] > range[1]) throw Broken(path, $"'{key}' has data_offsets that are no [begin, end]");
        if (range[1] > data) throw Broken(path, $"'{key}' ends at byte {range[1]} of only {data}");

        var needed = (Int128)size;
        foreach (var length in shape)
        {
            // Int128 cannot overflow here: each factor is below 2^63, and a product above 2^63 stays above it or becomes zero.
            needed = needed > long.MaxValue && length > 0 ? needed : needed * length;
        }
        if (needed != range[1] - range[0])
            throw Broken(path, $"'{key}' has {range[1] - range[0]} bytes, but {type} ({string.Join(", ", shape)}) needs {(needed > long.MaxValue ? "more than there can be" : needed)}");
        return new SafetensorsEntry(key, type, shape, range[0], range[1] - range[0]);
    }

    static long[] Numbers(JsonElement entry, string field, string key, string path)
    {
        if (!entry.TryGetProperty(field, out var array) || array.ValueKind != JsonValueKind.Array) throw Broken(path, $"'{key}' has no {field}");
        var numbers = new List<long>();
        foreach (var element in array.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out var number) || number < 0)
                throw Broken(path, $"'{key}' has {element.GetRawText()} in its {field}, which takes whole numbers from 0 to 2^63 - 1");
            numbers.Add(number);
        }
        return [.. numbers];
    }

    static void RequireCover(List<SafetensorsEntry> entries, long data, string path)
    {
        var (end, last) = (0L, "the header");
        foreach (var entry in entries.OrderBy(e => e.Offset).ThenBy(e => e.Length))
        {
            if (entry.Offset < end) throw Broken(path, $"'{entry.Key}' overlaps {last}");
            if (entry.Offset > end) throw Broken(path, $"{entry.Offset - end} bytes between {last} and '{entry.Key}' belong to no tensor");
            (end, last) = (entry.Offset + entry.Length, $"'{entry.Key}'");
        }
        if (end != data) throw Broken(path, $"{data - end} bytes after {last} belong to no tensor");
    }

    public static InvalidDataException Broken(string path, string why) =>
        new($"'{path}' is not a sound safetensors file: {why}. Fetch or write it again.");
}
