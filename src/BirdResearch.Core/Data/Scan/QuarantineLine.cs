namespace BirdResearch.Data;

/// <summary>A file on a quarantine list.</summary>
/// <param name="File">Path below the data set's folder, with forward slashes.</param>
/// <param name="Reason">Why it is left out; <c>keep</c> is the one reason that keeps it in.</param>
/// <param name="Detail">The reason in words; may be empty.</param>
/// <param name="Number">Line of the list, from 1; 0 for one that is not written yet.</param>
public sealed record QuarantineLine(string File, string Reason, string Detail, int Number = 0)
{
    /// <summary>The reason of a file that a person wants to stay in use, whatever a scan finds.</summary>
    public const string Keep = "keep";

    /// <summary>Whether the file is left out.</summary>
    public bool LeavesOut => Reason != Keep;

    /// <summary>The line as it is written.</summary>
    public override string ToString() => Detail.Length > 0 ? $"{Cell(File)},{Cell(Reason)},{Cell(Detail)}" : $"{Cell(File)},{Cell(Reason)}";

    static string Cell(string text) =>
        text.AsSpan().IndexOfAny(",\"#") >= 0 || text.Trim() != text ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
