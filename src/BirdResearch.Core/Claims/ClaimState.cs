namespace BirdResearch.Claims;

/// <summary>What became of a claim.</summary>
public enum ClaimState
{
    /// <summary>Somebody works on it, or died doing so.</summary>
    Held,

    /// <summary>It was given back with the work undone.</summary>
    Free,

    /// <summary>It was given back because the work failed; the note says how.</summary>
    Failed,
}
