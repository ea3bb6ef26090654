namespace BirdResearch.Data;

/// <summary>What a finding leads to.</summary>
public enum Severity
{
    /// <summary>Told in the summary; the file stays in use.</summary>
    Warning,

    /// <summary>The file is put on the quarantine list.</summary>
    Error,
}
