namespace BirdResearch.Audio;

public static partial class AudioFile
{
    // Half a gigasample is four and a half hours at 32 kHz and 2 GB of memory; longer sound is read in slices.
    const int LongestWhole = 1 << 29;
    const int MostChannels = 64;
    const int ChunkSamples = 1 << 16;
    const float Loudest = 1e12f;

    // Decoders that carry state from packet to packet (mp3's bit reservoir, opus) settle over this many frames after a seek.
    const int SettlingFrames = 8192;

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
                var range = $"{Resampler.LowestRate} to {Resampler.HighestRate} Hz";
                throw new AudioFileException(path, $"says that its sample rate is {info.SampleRate} Hz; {range} can be read.");
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
            var reason = Directory.Exists(path) ? "is a folder, not a sound file." : "may not be read; check its permissions.";
            throw new AudioFileException(path, reason, e);
        }
        catch (IOException e) when (e is not AudioFileException)
        {
            throw new AudioFileException(path, $"cannot be opened: {e.Message}", e);
        }
    }

    static void RequireTime(double seconds, string name)
    {
        if (!(seconds is >= 0 and < 1e9)) throw new ArgumentOutOfRangeException(name, seconds, "A slice begins and lasts 0 s or more.");
    }

    static void RequireTarget(int? sampleRate)
    {
        if (sampleRate is { } rate) Resampler.RequireRate(rate);
    }

    /// <summary>Whether the header's length is possible: not even silence packs 65536 samples into one byte.</summary>
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
                if (length + kept > mono.Length)
                {
                    Array.Resize(ref mono, (int)Math.Min(count, Math.Max(length + kept, 2L * mono.Length)));
                }
                Average(interleaved.AsSpan(skip * info.Channels, kept * info.Channels), info.Channels, mono.AsSpan(length, kept));
                if (FirstUnusable(mono.AsSpan(length, kept)) is { } bad)
                {
                    var where = $"holds {mono[length + bad]} at sample {first + length + bad}";
                    throw new AudioFileException(path, $"{where}, which is not a sound; repair or leave out the file.");
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
