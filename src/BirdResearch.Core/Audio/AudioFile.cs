using BirdResearch.Files;

namespace BirdResearch.Audio;

/// <summary>
/// Sound files through libsndfile: wav, flac, ogg/vorbis, opus, mp3 and its other kinds, decided by content and not by name.
/// Channels become one by their mean. A file that ends early gives what decodes; every sample that is returned is finite.
/// All methods may be called from several threads at once.
/// </summary>
public static partial class AudioFile
{
    /// <summary>Name and version of the library in use, such as <c>libsndfile-1.2.0</c>.</summary>
    public static string LibraryVersion => SndFileLibrary.Version;

    /// <summary>What the file says of itself, without decoding where its header can be believed. Zero frames are no error here.</summary>
    public static AudioInfo Probe(string path) => With(path, (file, bytes) =>
    {
        var info = file.Info;
        var frames = SaysItsLength(info, bytes) ? info.Frames : CountFrames(file);
        return new AudioInfo(
            SndFileFormat.Container(info.Format), SndFileFormat.Encoding(info.Format), info.SampleRate, info.Channels, frames,
            info.Seekable != 0);
    });

    /// <summary>The whole file as mono sound, at its own rate or resampled to <paramref name="sampleRate"/> Hz.</summary>
    public static Waveform Read(string path, int? sampleRate = null)
    {
        RequireTarget(sampleRate);
        return With(path, (file, bytes) =>
        {
            var samples = Decode(file, bytes, path, 0, LongestWhole + 1L);
            var sound = new Waveform(samples, file.Info.SampleRate);
            var rate = sampleRate ?? sound.SampleRate;
            if (Math.Max(samples.Length, Resampler.Between(sound.SampleRate, rate).LengthOf(samples.Length)) > LongestWhole)
            {
                throw new AudioFileException(path, $"is longer than {LongestWhole} samples; read it in slices of some minutes.");
            }
            return Resampler.Resample(sound, rate);
        });
    }

    /// <summary>
    /// A slice as mono sound: <c>round(seconds * rate)</c> samples from sample <c>round(startSeconds * rate)</c> on, exactly those that the
    /// whole file at that rate holds there. Shorter, or empty, where the file ends before.
    /// </summary>
    public static Waveform Read(string path, double startSeconds, double seconds, int? sampleRate = null)
    {
        RequireTarget(sampleRate);
        RequireTime(startSeconds, nameof(startSeconds));
        RequireTime(seconds, nameof(seconds));
        return With(path, (file, bytes) =>
        {
            var own = file.Info.SampleRate;
            var rate = sampleRate ?? own;
            var (first, count) = ((long)Math.Round(startSeconds * rate), (long)Math.Round(seconds * rate));
            if (Math.Max(seconds * rate, seconds * own) > LongestWhole)
            {
                throw new AudioFileException(path, $"a slice of {seconds} s has more than {LongestWhole} samples; read shorter ones.");
            }
            if (rate == own) return new Waveform(Decode(file, bytes, path, first, count), rate);
            if (count == 0) return new Waveform([], rate);

            var resampler = Resampler.Between(own, rate);
            var (begin, end) = resampler.Needs(first, count);
            begin = Math.Max(0, begin);
            var part = Decode(file, bytes, path, begin, end - begin);
            var made = part.Length < end - begin ? Math.Clamp(resampler.LengthOf(begin + part.Length) - first, 0, count) : count;
            return new Waveform(part.Length == 0 ? [] : resampler.Resample(part, begin, first, (int)made), rate);
        });
    }

    /// <summary>Writes mono sound, beside <paramref name="path"/> first and renamed when whole; makes a missing folder.</summary>
    /// <param name="path">Where to; an existing file is replaced. Its extension is not looked at.</param>
    /// <param name="sound">Samples, all finite.</param>
    /// <param name="format">Container and encoding.</param>
    /// <param name="quality">0 (small) to 1 (faithful), for Ogg Vorbis only; 0.4 is about 90 kbit/s at 44.1 kHz stereo.</param>
    public static void Write(string path, Waveform sound, AudioFormat format, double quality = 0.5)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var bytes = Encode(sound, format, quality);
        try
        {
            WholeFile.Write(path, beside => File.WriteAllBytes(beside, bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AudioFileException(path, $"cannot be written: {e.Message}", e);
        }
    }

    /// <summary>The bytes that <see cref="Write"/> would put into a file.</summary>
    public static byte[] Encode(Waveform sound, AudioFormat format, double quality = 0.5)
    {
        ArgumentNullException.ThrowIfNull(sound);
        if (!(quality is >= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(quality), quality, "Quality lies between 0 and 1.");
        if (FirstUnusable(sound.Samples) is { } bad)
        {
            throw new ArgumentException($"Sample {bad} is {sound.Samples[bad]}; only finite samples can be written.", nameof(sound));
        }
        using var stream = new MemoryStream();
        using (var file = OpenWrite(stream, sound.SampleRate, format))
        {
            if (format == AudioFormat.OggVorbis) file.SetQuality(quality);
            else if (format != AudioFormat.WavFloat) file.ClipOnWrite();

            // Small pieces: libvorbis keeps a whole piece on the stack.
            for (var at = 0; at < sound.Samples.Length;)
            {
                var piece = Math.Min(4096, sound.Samples.Length - at);
                if (file.Write(sound.Samples.AsSpan(at, piece)) != piece)
                {
                    throw new IOException($"{format} could not be encoded: {file.Error}");
                }
                at += piece;
            }
        }
        return stream.ToArray();
    }

    static SndFile OpenWrite(Stream stream, int sampleRate, AudioFormat format)
    {
        try
        {
            return SndFile.OpenWrite(stream, sampleRate, SndFileFormat.Code(format));
        }
        catch (InvalidDataException e)
        {
            throw new ArgumentException($"{format} cannot hold sound at {sampleRate} Hz ({e.Message}); resample it first.", e);
        }
    }
}
