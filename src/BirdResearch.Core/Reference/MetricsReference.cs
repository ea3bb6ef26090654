using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using BirdResearch.Metrics;

namespace BirdResearch.Reference;

/// <summary>Reference files of ranking metrics: labels, scores and what scikit-learn and the competition rules make of them.</summary>
public sealed partial class MetricsReference : IReferenceKind
{
    static readonly string[] Descriptions = ["case", "n", "classes", "y_true", "y_score", "note", "tolerance"];

    [GeneratedRegex("^padded([0-9]+)_ap_per_class$")]
    private static partial Regex PaddedKey();

    /// <inheritdoc/>
    public string Name => "metrics";

    /// <inheritdoc/>
    public bool Knows(string fileName, JsonElement root) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty("y_true", out _) && root.TryGetProperty("y_score", out _);

    /// <inheritdoc/>
    public IEnumerable<ReferenceFinding> Check(JsonElement root)
    {
        var scores = Read(root);
        var tolerance = root.TryGetProperty("tolerance", out var t) && t.TryGetProperty("abs", out var abs) ? abs.GetDouble() : 1e-8;
        foreach (var entry in root.EnumerateObject().Where(p => !Descriptions.Contains(p.Name)))
            foreach (var (what, ours, wanted) in Pairs(entry, scores))
                yield return new(what, "float64", Error(ours, wanted), tolerance);
    }

    static IEnumerable<(string What, double[] Ours, double[] Wanted)> Pairs(JsonProperty entry, Scores scores)
    {
        if (entry.Name == "padded_cmap")
            return from padded in entry.Value.EnumerateObject()
                   let rows = int.Parse(padded.Name, CultureInfo.InvariantCulture)
                   select ($"padded_cmap {rows}", new[] { Ranking.PaddedMeanAveragePrecision(scores, rows) }, Wanted(padded.Value));
        double[] ours = entry.Name switch
        {
            "positives" => [.. Enumerable.Range(0, scores.Classes.Count).Select(c => (double)Column(scores, c).Count(label => label))],
            "average_precision_per_class" => Ranking.AveragePrecisions(scores),
            "roc_auc_per_class" => Ranking.RocAucs(scores),
            "cmap_present_classes" => [Ranking.MeanAveragePrecision(scores)],
            "map_micro" => [Ranking.MicroMeanAveragePrecision(scores)],
            "map_samples_present_rows" => [Ranking.SampleMeanAveragePrecision(scores)],
            "birdclef2024_macro_auc" => [Ranking.MacroRocAuc(scores)],
            "macro_auc_over_classes_with_both_labels" => [Ranking.MacroRocAucOfMixedClasses(scores)],
            "accuracy" => [Ranking.Accuracy(scores)],
            _ when PaddedKey().Match(entry.Name) is { Success: true } padded =>
                Ranking.PaddedAveragePrecisions(scores, int.Parse(padded.Groups[1].ValueSpan, CultureInfo.InvariantCulture)),
            _ => [],
        };
        return ours.Length == 0 ? [($"quantity {entry.Name} is not understood", [], [0])] : [(entry.Name, ours, Wanted(entry.Value))];
    }

    static double[] Wanted(JsonElement value) => value.ValueKind == JsonValueKind.Array
        ? ExpectedArray.Numbers(value)
        : [value.ValueKind == JsonValueKind.Null ? double.NaN : value.GetDouble()];

    /// <summary>Largest difference; undefined agrees with undefined and with nothing else.</summary>
    static double Error(double[] ours, double[] wanted)
    {
        if (ours.Length != wanted.Length) return double.PositiveInfinity;
        return ours.Zip(wanted, Difference).Max();

        static double Difference(double ours, double wanted)
        {
            if (double.IsNaN(ours) != double.IsNaN(wanted)) return double.PositiveInfinity;
            return double.IsNaN(ours) ? 0 : Math.Abs(ours - wanted);
        }
    }

    static Scores Read(JsonElement root)
    {
        var truth = root.GetProperty("y_true").EnumerateArray().SelectMany(ExpectedArray.Numbers).Select(n => n != 0).ToArray();
        var values = root.GetProperty("y_score").EnumerateArray().SelectMany(ExpectedArray.Numbers).ToArray();
        var rows = root.GetProperty("n").GetInt32();
        return new Scores("reference",
            [.. Enumerable.Range(0, rows).Select(i => $"row {i}")],
            [.. Enumerable.Range(0, root.GetProperty("classes").GetInt32()).Select(i => $"class {i}")], truth, values);
    }

    static IEnumerable<bool> Column(Scores scores, int column)
    {
        var truth = scores.Truth.ToArray();
        return Enumerable.Range(0, scores.Ids.Count).Select(row => truth[row * scores.Classes.Count + column]);
    }
}
