namespace BirdResearch.Data;

/// <summary>One thing that a scan found about one file.</summary>
/// <param name="File">Path below the folder that was scanned.</param>
/// <param name="Rule">Name of the rule, such as <c>clipped</c>; see <c>ScanRules</c>.</param>
/// <param name="Severity">What it leads to.</param>
/// <param name="Detail">The figure or the other file, in words.</param>
public sealed record Finding(string File, string Rule, Severity Severity, string Detail);
