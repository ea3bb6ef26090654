using System.Security.Cryptography;

namespace BirdResearch.Experiments;

/// <summary>Whether a finished run is still what this version would make of its settings, and its tables what it wrote.</summary>
public static class RunFreshness
{
    /// <summary>Digests of the tables of a run that a report reads, hexadecimal SHA-256 by file name. Line ends play no part: a checkout may change them.</summary>
    public static IReadOnlyDictionary<string, string> Digests(string folder) =>
        Directory.GetFiles(folder, "*.csv")
            .Select(file => (File: file, Name: Path.GetFileName(file)))
            .Where(f => f.Name is "epochs.csv" or "classes.csv" || f.Name.StartsWith("scores.", StringComparison.Ordinal))
            .OrderBy(f => f.Name, StringComparer.Ordinal)
            .ToDictionary(f => f.Name, f => Digest(f.File));

    /// <summary>
    /// Why a run must be made again before a figure may show it, or null. A table that is not there is no reason: weights, scores and sound may have
    /// been left behind.
    /// </summary>
    public static string? WhyStale(string folder, RunRecord record)
    {
        if (record.Recipe is { } recipe && recipe != RunStore.Recipe)
            return $"it was made by recipe {recipe} of training; this version's is {RunStore.Recipe}";
        if (record.Data.WithoutLabelsKey is null && SoundWithoutLabels.IsHeardBy(record.Trial))
            return "it heard sound without labels, and its record does not say which";
        var hash = RunIdentity.HashOf(record.Trial, record.Data.ContentKey, record.Data.WithoutLabelsKey, RunStore.Recipe, record.Pretrained?.Sha256);
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
        if (!name.EndsWith("-" + hash, StringComparison.Ordinal))
            return $"its folder's name should end in {hash} by its settings: it was made by another version, or its record was changed";
        foreach (var (file, digest) in record.Files ?? new Dictionary<string, string>())
        {
            var path = Path.Combine(folder, file);
            if (File.Exists(path) && Digest(path) != digest) return $"{file} is not as it was written";
        }
        return null;
    }

    static string Digest(string file)
    {
        var bytes = File.ReadAllBytes(file);
        return Convert.ToHexStringLower(SHA256.HashData(Array.FindAll(bytes, b => b != (byte)'\r')));
    }
}
