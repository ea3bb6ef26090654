using System.Text.Json;

namespace BirdResearch.Reference;

/// <summary>An array as a reference file writes it: whole (<c>values</c>), or as mean, std, min, max and probed elements.</summary>
sealed class ExpectedArray
{
    static readonly string[] Statistics = ["mean", "std", "min", "max"];

    readonly JsonElement _entry;
    readonly long[] _shape;

    /// <param name="entry">The object that holds it.</param>
    /// <param name="shapeKey">The key of its shape.</param>
    public ExpectedArray(JsonElement entry, string shapeKey = "shape")
    {
        _entry = entry;
        _shape = ReferenceJson.Longs(entry.GetProperty(shapeKey));
    }

    /// <summary>Largest magnitude among the reference's numbers, for relative tolerances.</summary>
    public double Scale => _entry.TryGetProperty("values", out var values)
        ? Numbers(values).Max(Math.Abs)
        : Math.Max(Math.Abs(_entry.GetProperty("min").GetDouble()), Math.Abs(_entry.GetProperty("max").GetDouble()));

    /// <summary>Largest difference from the file's numbers, over <paramref name="unit"/>; infinite when the shape differs.</summary>
    public double Error(ReadOnlySpan<double> ours, IReadOnlyList<long> shape, double unit = 1)
    {
        if (!shape.SequenceEqual(_shape)) return double.PositiveInfinity;
        var (compared, worst) = (0, 0.0);
        if (_entry.TryGetProperty("values", out var values))
            foreach (var (index, wanted) in Numbers(values).Index())
                Compare(ours[index], wanted);
        if (_entry.TryGetProperty("probe_index", out var probes))
            foreach (var (index, wanted) in probes.EnumerateArray().Zip(Numbers(_entry.GetProperty("probe_value"))))
                Compare(ours[index.GetInt32()], wanted);
        foreach (var statistic in Statistics)
            if (_entry.TryGetProperty(statistic, out var wanted) && wanted.ValueKind == JsonValueKind.Number)
                Compare(Of(statistic, ours), wanted.GetDouble());
        return compared == 0 ? double.PositiveInfinity : worst / unit;

        void Compare(double ours, double wanted)
        {
            worst = Math.Max(worst, Math.Abs(ours - wanted));   // NaN stays NaN and fails every tolerance
            compared++;
        }
    }

    /// <summary>A list of numbers; null is NaN.</summary>
    public static double[] Numbers(JsonElement list) =>
        [.. list.EnumerateArray().Select(n => n.ValueKind == JsonValueKind.Null ? double.NaN : n.GetDouble())];

    static double Of(string statistic, ReadOnlySpan<double> numbers)
    {
        var (sum, low, high) = (0.0, double.PositiveInfinity, double.NegativeInfinity);
        foreach (var x in numbers) (sum, low, high) = (sum + x, Math.Min(low, x), Math.Max(high, x));
        if (statistic == "min") return low;
        if (statistic == "max") return high;
        var mean = sum / numbers.Length;
        if (statistic == "mean") return mean;
        var squares = 0.0;
        foreach (var x in numbers) squares += (x - mean) * (x - mean);
        return Math.Sqrt(squares / numbers.Length);
    }
}
