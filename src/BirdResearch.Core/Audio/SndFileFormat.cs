namespace BirdResearch.Audio;

/// <summary>libsndfile's format codes and their names.</summary>
static class SndFileFormat
{
    const int Wav = 0x010000, Flac = 0x170000, Ogg = 0x200000, Pcm16 = 0x0002, Float = 0x0006, Vorbis = 0x0060;

    public static int Code(AudioFormat format) => format switch
    {
        AudioFormat.Wav16 => Wav | Pcm16,
        AudioFormat.WavFloat => Wav | Float,
        AudioFormat.Flac => Flac | Pcm16,
        AudioFormat.OggVorbis => Ogg | Vorbis,
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "Wav16, WavFloat, Flac or OggVorbis"),
    };

    public static string Container(int code) => (code & 0x0FFF0000) switch
    {
        Wav or 0x130000 => "WAV",
        0x020000 => "AIFF",
        0x030000 => "AU",
        0x0B0000 => "W64",
        Flac => "FLAC",
        0x180000 => "CAF",
        Ogg => "OGG",
        0x220000 => "RF64",
        0x230000 => "MP3",
        var other => $"0x{other:X6}",
    };

    public static string Encoding(int code) => (code & 0xFFFF) switch
    {
        0x0001 => "PCM_S8",
        Pcm16 => "PCM_16",
        0x0003 => "PCM_24",
        0x0004 => "PCM_32",
        0x0005 => "PCM_U8",
        Float => "FLOAT",
        0x0007 => "DOUBLE",
        0x0010 => "ULAW",
        0x0011 => "ALAW",
        0x0012 => "IMA_ADPCM",
        0x0013 => "MS_ADPCM",
        Vorbis => "VORBIS",
        0x0064 => "OPUS",
        0x0080 => "MPEG_LAYER_I",
        0x0081 => "MPEG_LAYER_II",
        0x0082 => "MPEG_LAYER_III",
        var other => $"0x{other:X4}",
    };
}
