using System.Collections.Concurrent;
using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>
/// Windows of one length and sample rate from a data set's recordings, with the decoded sound kept in memory. A window's samples
/// depend on the recording and the place alone, never on what was read before. Any number of threads may read; files are only read.
/// </summary>
/// <remarks>
/// Sound is decoded in pieces of six windows (and one more, so that a window that begins in a piece lies in it); a short recording is one
/// piece. When the memory is full, only the window itself is decoded where the format gives the same samples either way, else its piece.
/// A disk cache belongs between <see cref="SampleCache"/> and <c>Decode</c>.
/// </remarks>
public sealed class WindowReader
{
    const int WindowsPerPiece = 6;

    readonly Dataset _dataset;
    readonly SampleCache _cache;
    readonly ConcurrentDictionary<string, (long Length, bool Exact)> _files = new();
    readonly long _step;

    /// <param name="dataset">Where the clips come from.</param>
    /// <param name="sampleRate">Of the windows, in Hz; recordings at another rate are resampled.</param>
    /// <param name="windowSeconds">Length of a window.</param>
    /// <param name="cacheBytes">Most memory for decoded sound; 1 GiB holds 2.3 hours at 32 kHz.</param>
    /// <param name="shorter">What fills a window when the recording is shorter.</param>
    public WindowReader(
        Dataset dataset, int sampleRate, double windowSeconds, long cacheBytes = 1L << 30, ShortRecording shorter = ShortRecording.Repeat)
    {
        Resampler.RequireRate(sampleRate);
        ArgumentOutOfRangeException.ThrowIfNegative(cacheBytes);
        var samples = Math.Round(sampleRate * windowSeconds);
        if (!(samples is >= 1 and <= 1 << 28))
            throw new ArgumentOutOfRangeException(
                nameof(windowSeconds), windowSeconds, $"A window at {sampleRate} Hz has 1 to {1 << 28} samples.");
        (_dataset, _cache) = (dataset, new SampleCache(cacheBytes));
        (SampleRate, WindowSeconds, WindowSamples, Shorter) = (sampleRate, windowSeconds, (int)samples, shorter);
        _step = (long)WindowsPerPiece * WindowSamples;
    }

    /// <summary>Samples per second of the windows, in Hz.</summary>
    public int SampleRate { get; }

    /// <summary>Length of a window in seconds.</summary>
    public double WindowSeconds { get; }

    /// <summary>Samples of a window: <c>round(SampleRate * WindowSeconds)</c>.</summary>
    public int WindowSamples { get; }

    /// <summary>What fills a window when the recording is shorter.</summary>
    public ShortRecording Shorter { get; }

    /// <summary>Bytes of decoded sound in memory.</summary>
    public long CachedBytes => _cache.Bytes;

    /// <summary>Length of a clip in samples at <see cref="SampleRate"/>. The file's header is read the first time.</summary>
    public long LengthOf(Clip clip)
    {
        var (first, end) = Stretch(clip);
        return end - first;
    }

    /// <summary>
    /// One window of <see cref="WindowSamples"/> samples that begins <paramref name="offsetSeconds"/> after the clip does.
    /// </summary>
    public float[] Read(Clip clip, double offsetSeconds = 0)
    {
        var window = new float[WindowSamples];
        Read(clip, (long)Math.Round(offsetSeconds * SampleRate), window);
        return window;
    }

    /// <summary>One window that begins <paramref name="offset"/> samples (at <see cref="SampleRate"/>) after the clip does.</summary>
    /// <param name="clip">A clip of the data set.</param>
    /// <param name="offset">
    /// From 0 to below the clip's length; where less than a window follows, the rest is filled as <see cref="Shorter"/> says.
    /// </param>
    /// <param name="window">Receives <see cref="WindowSamples"/> samples.</param>
    public void Read(Clip clip, long offset, Span<float> window)
    {
        if (window.Length != WindowSamples) throw new ArgumentException($"A window has {WindowSamples} samples, not {window.Length}.");
        var (first, end) = Stretch(clip);
        if (end <= first)
            throw new AudioFileException(_dataset.PathOf(clip), $"holds no sound for {clip.Id}; leave it out, or fetch it again.");
        if (offset < 0 || offset >= end - first)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{clip.Id} is {end - first} samples long.");

        var start = first + offset;
        var (sound, begin) = SoundAt(clip, start, Math.Min(end, start + WindowSamples));
        var there = begin + sound.Length;
        if (there < Math.Min(end, start + WindowSamples))
        {
            // The header promised more than decodes: the window moves back to the true end.
            start = Math.Max(Math.Max(first, begin), Math.Min(start, there - WindowSamples));
            if (start >= there)
                throw new AudioFileException(_dataset.PathOf(clip),
                    $"ends after {(double)there / SampleRate:0.0} s, though its header promises more; leave it out, or fetch it again.");
        }
        var until = Math.Min(Math.Min(end, there), start + WindowSamples);
        Fill(sound.AsSpan((int)(start - begin), (int)(until - start)), window);
    }

    /// <summary>Sound that holds [start, end) where the file does, and the sample it begins at: a piece, or just what was asked for.</summary>
    (float[] Sound, long Begin) SoundAt(Clip clip, long start, long end)
    {
        var (length, exact) = FileOf(clip);
        var last = Math.Max(0, (length - WindowSamples + _step - 1) / _step - 1);   // the last piece reaches to the end of the file
        var piece = Math.Min(start / _step, last);
        var begin = piece * _step;
        var bytes = sizeof(float) * Math.Min(_step + WindowSamples, length - begin);
        if (_cache.GetIfRoom(clip.File, piece, bytes, Piece) is { } kept) return (kept, begin);
        if (exact && Decode(clip, start, end - start) is var window && window.Length == end - start) return (window, start);
        return (_cache.Get(clip.File, piece, Piece), begin);

        float[] Piece() => Decode(clip, begin, _step + WindowSamples);
    }

    float[] Decode(Clip clip, long start, long count) =>
        AudioFile.Read(_dataset.PathOf(clip), (double)start / SampleRate, (double)count / SampleRate, SampleRate).Samples;

    /// <summary>First and end sample of a clip in its file, at our rate.</summary>
    (long First, long End) Stretch(Clip clip)
    {
        var length = FileOf(clip).Length;
        var first = (long)Math.Round(clip.StartSeconds * SampleRate);
        var end = clip.Seconds is { } seconds ? Math.Min(length, first + (long)Math.Round(seconds * SampleRate)) : length;
        return (first, Math.Max(first, end));
    }

    /// <summary>Length of a clip's file at our rate, and whether a slice holds bit for bit what the whole file does there.</summary>
    (long Length, bool Exact) FileOf(Clip clip) => _files.GetOrAdd(clip.File, _ =>
    {
        var info = AudioFile.Probe(_dataset.PathOf(clip));
        var length = info.SampleRate == SampleRate ? info.Frames : Resampler.Between(info.SampleRate, SampleRate).LengthOf(info.Frames);
        // These decoders carry state from packet to packet, which a jump can leave a rounding error away.
        return (length, info.Seekable && info.Subtype != "OPUS" && info.Format != "MP3");
    });

    void Fill(ReadOnlySpan<float> sound, Span<float> window)
    {
        if (Shorter == ShortRecording.Repeat)
        {
            for (var at = 0; at < window.Length; at += sound.Length)
                sound[..Math.Min(sound.Length, window.Length - at)].CopyTo(window[at..]);
            return;
        }
        window.Clear();
        sound.CopyTo(window[(Shorter == ShortRecording.SilenceAround ? (window.Length - sound.Length) / 2 : 0)..]);
    }
}
