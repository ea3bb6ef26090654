namespace BirdResearch.Audio;

/// <summary>What came out of a file against what it said.</summary>
/// <param name="Header">What the file says of itself; its frames are the header's claim, unchecked and possibly absurd.</param>
/// <param name="Frames">Samples per channel that decoded.</param>
/// <param name="Complaint">What the decoder said at the end; null when it was content.</param>
public sealed record DecodedSound(AudioInfo Header, long Frames, string? Complaint);
