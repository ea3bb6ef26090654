namespace BirdResearch.Data;

/// <summary>What a scan found.</summary>
public sealed record ScanResult
{
    /// <summary>Name of the data set or folder.</summary>
    public required string Name { get; init; }

    /// <summary>The folder.</summary>
    public required string Root { get; init; }

    /// <summary>The files, in ordinal order.</summary>
    public required IReadOnlyList<ScanFile> Files { get; init; }

    /// <summary>Their measurements, in the same order.</summary>
    public required IReadOnlyList<SoundMeasures> Measures { get; init; }

    /// <summary>Files with sound in common.</summary>
    public required IReadOnlyList<SharedSound> Shared { get; init; }

    /// <summary>What is on both sides of a split by name, in the data set as it is without a quarantine.</summary>
    public required IReadOnlyList<SplitLeak> Leaks { get; init; }

    /// <summary>Everything that was found about single files: errors first, then by file.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    /// <summary>What each rule found, in files.</summary>
    public IEnumerable<(string Rule, Severity Severity, int Files, string First)> Counts =>
        Findings.GroupBy(f => (f.Rule, f.Severity)).OrderByDescending(g => g.Key.Severity).ThenByDescending(g => g.Count()).ThenBy(g => g.Key.Rule, StringComparer.Ordinal)
            .Select(g => (g.Key.Rule, g.Key.Severity, g.Select(f => f.File).Distinct().Count(), g.First().File));

    /// <summary>A line for each file with an error: its first reason, and all of its errors in words.</summary>
    public IEnumerable<QuarantineLine> ToQuarantine => Findings.Where(f => f.Severity == Severity.Error).GroupBy(f => f.File)
        .Select(g => new QuarantineLine(g.Key, g.First().Rule, string.Join(" ", g.Select((f, i) => (i == 0 ? "" : f.Rule + ": ") + f.Detail)).Trim()));
}
