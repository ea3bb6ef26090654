using System.Globalization;

namespace BirdResearch.Reference;

/// <summary>What the check of one reference file found.</summary>
/// <param name="File">Its path below the folder that was checked, with forward slashes.</param>
/// <param name="Kind">The kind that judged it, <c>unknown</c> where none does.</param>
/// <param name="Findings">Every comparison made.</param>
/// <param name="Problem">Why it could not be judged to the end; null where it could.</param>
public sealed record ReferenceFileResult(string File, string Kind, IReadOnlyList<ReferenceFinding> Findings, string? Problem = null)
{
    /// <summary>Comparisons out of tolerance.</summary>
    public int Failed => Findings.Count(f => !f.Passed);

    /// <summary>Whether it was judged to the end and every comparison passed; a file without comparisons does not pass.</summary>
    public bool Passed => Problem is null && Findings.Count > 0 && Failed == 0;

    /// <summary>The finding with the largest error against its tolerance, of one precision or of all; null where there is none.</summary>
    public ReferenceFinding? Worst(string? precision = null) =>
        Findings.Where(f => precision is null || f.Precision == precision).MaxBy(Ratio);

    /// <summary>One line: verdict, file, kind, the worst finding of each precision with its tolerance, and what went wrong.</summary>
    public override string ToString()
    {
        var parts = new List<string> { $"{(Passed ? "ok  " : "FAIL")}  {File}  {Kind}" };
        foreach (var precision in Findings.Select(f => f.Precision).Distinct())
        {
            var worst = Worst(precision)!;
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{precision} worst {worst.Error:0.0e+00} of {worst.Tolerance:0.0e+00} ({worst.What})"));
        }
        parts.Add(Failed > 0 ? $"{Failed} of {Findings.Count} comparisons failed" : $"{Findings.Count} comparisons");
        if (Problem is not null) parts.Add(Problem);
        return string.Join("  ", parts);
    }

    static double Ratio(ReferenceFinding finding) =>
        finding.Error == 0 ? 0 : double.IsNaN(finding.Error) ? double.PositiveInfinity : finding.Error / finding.Tolerance;
}
