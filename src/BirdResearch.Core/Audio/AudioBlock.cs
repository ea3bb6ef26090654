namespace BirdResearch.Audio;

/// <summary>Receives one stretch of a file as it decodes; false stops the decoding.</summary>
/// <param name="interleaved">Whole frames, channels side by side, exactly as the decoder gave them: NaN and infinity included.</param>
/// <param name="header">What the file says of itself; its frames are the header's claim, unchecked.</param>
public delegate bool AudioBlock(ReadOnlySpan<float> interleaved, AudioInfo header);
