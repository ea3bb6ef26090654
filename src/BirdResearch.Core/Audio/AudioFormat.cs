namespace BirdResearch.Audio;

/// <summary>The containers that <see cref="AudioFile.Write"/> makes, all of them mono.</summary>
public enum AudioFormat
{
    /// <summary>WAV with 16-bit integers; louder than full scale is clipped.</summary>
    Wav16,

    /// <summary>WAV with 32-bit floats: every sample comes back bit for bit.</summary>
    WavFloat,

    /// <summary>FLAC with 16-bit integers; louder than full scale is clipped.</summary>
    Flac,

    /// <summary>Ogg Vorbis at a variable bit rate.</summary>
    OggVorbis,
}
