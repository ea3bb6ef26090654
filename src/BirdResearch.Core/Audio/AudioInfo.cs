namespace BirdResearch.Audio;

/// <summary>What a sound file says of itself.</summary>
/// <param name="Format">Container by content: <c>WAV</c>, <c>FLAC</c>, <c>OGG</c>, <c>MP3</c>, <c>AIFF</c> ...</param>
/// <param name="Subtype">Encoding of the samples: <c>PCM_16</c>, <c>FLOAT</c>, <c>VORBIS</c>, <c>OPUS</c>,
/// <c>MPEG_LAYER_III</c>.</param>
/// <param name="SampleRate">In Hz.</param>
/// <param name="Channels">Number of channels before they are averaged.</param>
/// <param name="Frames">Samples per channel: as the container says, or counted by decoding where it does not say or cannot be believed.
/// An mp3 without a length in its first frame has an estimate here that can be some frames long.</param>
/// <param name="Seekable">Whether a slice can be read without decoding what lies before it.</param>
public sealed record AudioInfo(string Format, string Subtype, int SampleRate, int Channels, long Frames, bool Seekable)
{
    /// <summary>Length in seconds.</summary>
    public double Seconds => (double)Frames / SampleRate;
}
