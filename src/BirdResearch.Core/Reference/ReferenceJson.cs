using System.Text.Json;
using static TorchSharp.torch;

namespace BirdResearch.Reference;

/// <summary>Reads the parts that reference files share.</summary>
static class ReferenceJson
{
    public static long[] Longs(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetInt64())];

    public static double[] Doubles(JsonElement array) => [.. array.EnumerateArray().Select(e => e.GetDouble())];

    public static double Number(JsonElement parent, string name, double otherwise) =>
        parent.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;

    /// <summary>The tensor that an entry with name, shape and perhaps scale and offset stands for: float32 values in the asked precision.</summary>
    public static Tensor Named(JsonElement entry, ScalarType precision)
    {
        var shape = Longs(entry.GetProperty("shape"));
        var count = shape.Aggregate(1L, (a, b) => a * b);
        var values = Fill.Values(entry.GetProperty("name").GetString()!, count, Number(entry, "scale", 1), Number(entry, "offset", 0));
        using var narrow = tensor(values, shape);
        return narrow.to(precision, copy: true);
    }

    /// <summary>Puts the fill rule's values into parameters and buffers, with the gains and seed of the file's <c>fill</c> entry.</summary>
    public static void FillEntries(IEnumerable<(string Key, Tensor Tensor)> entries, JsonElement root)
    {
        var (g4, g2, seed) = (6.0, 3.0, "");
        if (root.TryGetProperty("fill", out var fill))
            (g4, g2, seed) = (Number(fill, "g4", g4), Number(fill, "g2", g2), fill.TryGetProperty("seed", out var text) ? text.GetString()! : seed);
        FillEntries(entries, seed, g4, g2);
    }

    /// <summary>Puts the fill rule's values into parameters and buffers.</summary>
    public static void FillEntries(IEnumerable<(string Key, Tensor Tensor)> entries, string seed, double g4 = 6, double g2 = 3)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        foreach (var (key, target) in entries)
            if (Fill.Parameter(key, target.shape, g4, g2, seed) is { } values)
                target.copy_(tensor(values, target.shape));
    }
}
