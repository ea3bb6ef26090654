namespace BirdResearch.Claims;

/// <summary>How a claim stands at a moment.</summary>
/// <param name="Path">The claim.</param>
/// <param name="Generation">How often it was taken so far; 0 where it never was.</param>
/// <param name="Note">What the last holder left; null where there is none, or none that can be read.</param>
/// <param name="IsOpen">Whether it may be taken.</param>
public sealed record ClaimView(string Path, long Generation, ClaimNote? Note, bool IsOpen)
{
    /// <summary>Whether the last holder died with it.</summary>
    public bool IsOrphan => IsOpen && Generation > 0 && Note is null or { State: ClaimState.Held };
}
