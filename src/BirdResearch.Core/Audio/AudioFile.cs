namespace BirdResearch.Audio;

/// <summary>
/// Sound files through libsndfile: wav, flac, ogg/vorbis, opus, mp3 and its other kinds, decided by content and not by name.
/// Channels become one by their mean. A file that ends early gives what decodes; every sample that is returned is finite.
/// All methods may be called from several threads at once.
/// </summary>
public static class AudioFile
{
    // Half a gigasample is four and a half hours at 32 kHz and 2 GB of memory; longer sound is read in slices.
    const int LongestWhole = 1 << 29;
    const int MostChannels = 64;
    const int ChunkSamples = 1 << 16;
    const float Loudest = 1e12f;

    // Decoders that carry state from packet to packet (mp3's bit reservoir, opus) settle over this many frames after a seek.
    const int SettlingFrames = 8192;

    /// <summary>Name and version of the library in use, such as <c>libsndfile-1.2.0</c>.</summary>
    public static string LibraryVersion => SndFileLibrary.Version;

    /// <summary>What the file says of itself, without decoding its samples where its header can be believed. Zero frames are no error here.</summary>
    public static AudioInfo Probe(string path) => With(path, (file, bytes) =>
    {
        var info = file.Info;
        var frames = SaysItsLength(info, bytes) ? info.Frames : CountFrames(file);
        return new AudioInfo(SndFileFormat.Container(info.Format), SndFileFormat.Encoding(info.Format), info.SampleRate, info.Channels, frames,
            info.Seekable != 0);
    });

    /// <summary>The whole file as mono sound, at its own rate or resampled to <paramref name="sampleRate"/> Hz.</summary>
    public static Waveform Read(string path, int? sampleRate = null)
    {
        RequireTarget(sampleRate);
        return With(path, (file, bytes) =>
        {
            var samples = Decode(file, bytes, path, 0, LongestWhole + 1L);
            if (samples.Length > LongestWhole)
            {
                throw new AudioFileException(path, $"is longer than {LongestWhole} samples; read it in slices of some minutes.");
            }
            var sound = new Waveform(samples, file.Info.SampleRate);
            return sampleRate is { } rate ? Resampler.Resample(sound, rate) : sound;
        });
    }

    /// <summary>
    /// A slice as mono sound: <c>round(seconds * rate)</c> samples from sample <c>round(startSeconds * rate)</c> on, exactly those that the
    /// whole file at that rate holds there. Shorter, or empty, where the file ends before.
    /// </summary>
    public static Waveform Read(string path, double startSeconds, double seconds, int? sampleRate = null)
    {
        RequireTarget(sampleRate);
        if (!(startSeconds >= 0 && startSeconds < 1e9)) throw new ArgumentOutOfRangeException(nameof(startSeconds), startSeconds, "A slice begins at 0 s or later.");
        if (!(seconds >= 0 && seconds < 1e9)) throw new ArgumentOutOfRangeException(nameof(seconds), seconds, "A slice is 0 s long or longer.");
        return With(path, (file, bytes) =>
        {
            var own = file.Info.SampleRate;
            var rate = sampleRate ?? own;
            var (first, count) = ((long)Math.Round(startSeconds * rate), (long)Math.Round(seconds * rate));
            if (count > LongestWhole) throw new AudioFileException(path, $"a slice of {seconds} s is longer than {LongestWhole} samples; read it in shorter ones.");
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

    /// <summary>Writes mono sound, beside <paramref name="path"/> first and renamed when whole; makes the folder if it is missing.</summary>
    /// <param name="path">Where to; an existing file is replaced. Its extension is not looked at.</param>
    /// <param name="sound">Samples, all finite.</param>
    /// <param name="format">Container and encoding.</param>
    /// <param name="quality">0 (small) to 1 (faithful), for Ogg Vorbis only; 0.4 is about 90 kbit/s at 44.1 kHz stereo.</param>
    public static void Write(string path, Waveform sound, AudioFormat format, double quality = 0.5)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var bytes = Encode(sound, format, quality);
        var beside = $"{path}.{Guid.NewGuid():N}.partial";
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
            File.WriteAllBytes(beside, bytes);
            File.Move(beside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(beside)) File.Delete(beside);
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
        using (var file = SndFile.OpenWrite(stream, sound.SampleRate, SndFileFormat.Code(format)))
        {
            if (format == AudioFormat.OggVorbis) file.SetQuality(quality);
            else if (format != AudioFormat.WavFloat) file.ClipOnWrite();

            // Small pieces: libvorbis keeps a whole piece on the stack.
            for (var at = 0; at < sound.Samples.Length;)
            {
                var piece = Math.Min(4096, sound.Samples.Length - at);
                if (file.Write(sound.Samples.AsSpan(at, piece)) != piece) throw new IOException($"{format} could not be encoded: {file.Error}");
                at += piece;
            }
        }
        return stream.ToArray();
    }

    static T With<T>(string path, Func<SndFile, long, T> use)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = OpenStream(path);
        SndFile file;
        try
        {
            file = SndFile.OpenRead(stream);
        }
        catch (InvalidDataException e)
        {
            throw new AudioFileException(path, Unreadable.Reason(stream, e.Message), e);
        }
        using (file)
        {
            var info = file.Info;
            if (info.Channels is < 1 or > MostChannels)
            {
                throw new AudioFileException(path, $"says that it has {info.Channels} channels; 1 to {MostChannels} can be read.");
            }
            if (info.SampleRate is < Resampler.LowestRate or > Resampler.HighestRate)
            {
                throw new AudioFileException(path,
                    $"says that its sample rate is {info.SampleRate} Hz; rates between {Resampler.LowestRate} and {Resampler.HighestRate} Hz can be read.");
            }
            return use(file, stream.Length);
        }
    }

    static FileStream OpenStream(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
            if (stream.CanSeek) return stream;
            stream.Dispose();
            throw new AudioFileException(path, "is not an ordinary file; copy it into one first.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new AudioFileException(path, "does not exist; check the path, or fetch the recording again.", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new AudioFileException(path, Directory.Exists(path) ? "is a folder, not a sound file." : "may not be read; check its permissions.", e);
        }
        catch (IOException e) when (e is not AudioFileException)
        {
            throw new AudioFileException(path, $"cannot be opened: {e.Message}", e);
        }
    }

    static void RequireTarget(int? sampleRate)
    {
        if (sampleRate is { } rate) Resampler.RequireRate(rate);
    }

    /// <summary>Whether the header's length is possible: not even silence packs more than a few ten thousand samples into one byte.</summary>
    static bool SaysItsLength(SndFileLibrary.Info info, long bytes) => info.Frames >= 0 && info.Frames / 65536 <= bytes;

    // libmpg123 complains on standard error about the bits that it misses after a jump, so mp3 is decoded through where that is quick.
    static long ShortestJump(SndFileLibrary.Info info) => SndFileFormat.Container(info.Format) == "MP3" ? 60L * info.SampleRate : 1;

    static long CountFrames(SndFile file)
    {
        var interleaved = new float[ChunkSamples];
        var total = 0L;
        for (long got; (got = file.Read(interleaved)) > 0;) total += got;
        return total;
    }

    /// <summary>Mono frames [first, first + count), fewer where the file ends before; an error when it holds none at all.</summary>
    static float[] Decode(SndFile file, long bytes, string path, long first, long count)
    {
        var info = file.Info;
        var known = SaysItsLength(info, bytes);
        var jump = known && info.Seekable != 0 ? Math.Min(first, info.Frames) - SettlingFrames : 0;
        if (jump < ShortestJump(info)) jump = 0;
        var at = jump > 0 && file.Seek(jump) ? jump : 0;
        if (at != jump && !file.Seek(0)) throw new AudioFileException(path, $"cannot be rewound: {file.Error}");

        var interleaved = new float[Math.Max(1, ChunkSamples / info.Channels) * info.Channels];
        var end = first + count;
        var expected = Math.Min(count, known ? Math.Max(0, info.Frames - first) : ChunkSamples);
        var mono = new float[Math.Min(expected, 1 << 24)];
        var (length, decoded) = (0, false);
        while (at < end)
        {
            var wanted = (int)Math.Min(interleaved.Length / info.Channels, end - at);
            var got = (int)file.Read(interleaved.AsSpan(0, wanted * info.Channels));
            if (got <= 0) break;
            decoded = true;
            var skip = (int)Math.Clamp(first - at, 0, got);
            var kept = got - skip;
            if (kept > 0)
            {
                if (length + kept > mono.Length) Array.Resize(ref mono, (int)Math.Min(end - first, Math.Max(length + kept, 2L * mono.Length)));
                Average(interleaved.AsSpan(skip * info.Channels, kept * info.Channels), info.Channels, mono.AsSpan(length, kept));
                if (FirstUnusable(mono.AsSpan(length, kept)) is { } bad)
                {
                    throw new AudioFileException(path,
                        $"holds {mono[length + bad]} at sample {first + length + bad}, which is not a sound; repair or leave out the file.");
                }
                length += kept;
            }
            at += got;
        }
        if (!decoded && count > 0)
        {
            var complaint = file.Error;
            throw new AudioFileException(path, complaint is null || info.Frames == 0
                ? "holds no samples; leave it out, or fetch it again."
                : $"is damaged or cut off so that nothing of it can be decoded ({complaint}); fetch it again.");
        }
        Array.Resize(ref mono, length);
        return mono;
    }

    static void Average(ReadOnlySpan<float> interleaved, int channels, Span<float> mono)
    {
        if (channels == 1)
        {
            interleaved.CopyTo(mono);
            return;
        }
        for (var i = 0; i < mono.Length; i++)
        {
            var sum = 0f;
            foreach (var sample in interleaved.Slice(i * channels, channels)) sum += sample;
            mono[i] = sum / channels;
        }
    }

    static int? FirstUnusable(ReadOnlySpan<float> samples)
    {
        for (var i = 0; i < samples.Length; i++)
        {
            if (!(MathF.Abs(samples[i]) <= Loudest)) return i;   // NaN, too, is not at most that
        }
        return null;
    }
}
