namespace BirdResearch.Data;

/// <summary>A file that a table names and that is not used.</summary>
/// <param name="File">Path below the data set's folder.</param>
/// <param name="Reason"><c>missing</c>, <c>empty</c>, or the reason on the quarantine list.</param>
public sealed record LeftOutFile(string File, string Reason);
