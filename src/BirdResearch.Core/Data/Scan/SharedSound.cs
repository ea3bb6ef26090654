namespace BirdResearch.Data;

/// <summary>Two files with sound in common.</summary>
/// <param name="First">One file; the one to keep, where only one is to be kept.</param>
/// <param name="Second">The other.</param>
/// <param name="Exact">Whether every decoded sample is the same.</param>
/// <param name="OffsetSeconds">Where the second's start lies on the first's clock.</param>
/// <param name="Seconds">Sound in common.</param>
/// <param name="Share">The same as a share of the sound of the one that has less.</param>
/// <param name="Errors">Share of fingerprint bits that differ over it.</param>
/// <param name="Correlation">Correlation of the waveforms.</param>
/// <param name="Folds">Folds that have one of the two on each side.</param>
public sealed record SharedSound(
    ScanFile First, ScanFile Second, bool Exact, double OffsetSeconds, double Seconds, double Share, double Errors, double Correlation,
    IReadOnlyList<int> Folds)
{
    /// <summary>Whether one is trained on while the other is scored: in some fold, or always when one is a labelled soundscape.</summary>
    public bool Leaks => Folds.Count > 0 || (First.Role == ScanRole.Soundscape) != (Second.Role == ScanRole.Soundscape);
}
