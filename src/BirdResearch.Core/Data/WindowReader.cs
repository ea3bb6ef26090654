using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>
/// Windows of one length and sample rate from a data set's recordings, with the decoded sound kept in memory and, where asked for, on
/// disk. A window's samples depend on the recording and the place alone, never on what was read before. Any number of threads may
/// read; recordings are only read.
/// </summary>
public sealed class WindowReader
{
    readonly Dataset _dataset;
    readonly SoundPieces _sound;
    readonly Activities _activities;

    /// <param name="dataset">Where the clips come from.</param>
    /// <param name="sampleRate">Of the windows, in Hz; recordings at another rate are resampled.</param>
    /// <param name="windowSeconds">Length of a window.</param>
    /// <param name="cacheBytes">Most memory for decoded sound; 1 GiB holds 2.3 hours at 32 kHz.</param>
    /// <param name="shorter">What fills a window when the recording is shorter.</param>
    /// <param name="disk">Keeps decoded sound on disk; null keeps none there.</param>
    public WindowReader(
        Dataset dataset, int sampleRate, double windowSeconds, long cacheBytes = 1L << 30, ShortRecording shorter = ShortRecording.Repeat,
        DiskCache? disk = null)
    {
        Resampler.RequireRate(sampleRate);
        ArgumentOutOfRangeException.ThrowIfNegative(cacheBytes);
        var samples = Math.Round(sampleRate * windowSeconds);
        if (!(samples is >= 1 and <= 1 << 28))
            throw new ArgumentOutOfRangeException(
                nameof(windowSeconds), windowSeconds, $"A window at {sampleRate} Hz has 1 to {1 << 28} samples.");
        (SampleRate, WindowSeconds, WindowSamples, Shorter) = (sampleRate, windowSeconds, (int)samples, shorter);
        (_dataset, _sound) = (dataset, new SoundPieces(dataset, sampleRate, WindowSamples, cacheBytes, disk));
        _activities = new Activities(this);
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
    public long CachedBytes => _sound.MemoryBytes;

    /// <summary>How often sound was decoded; it does not grow where memory or disk has it.</summary>
    public long DecodedPieces => _sound.Decoded;

    /// <summary>Arrays for batches of windows.</summary>
    internal SampleArrays Arrays { get; } = new();

    /// <summary>Where decoded sound is kept on disk, or null.</summary>
    public DiskCache? Disk => _sound.Disk;

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
        if (end - start >= WindowSamples && _sound.TryRead(clip, start, window)) return;
        var (sound, begin) = _sound.At(clip, start, Math.Min(end, start + WindowSamples));
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

    /// <summary>Where something is heard in a clip; looked for once, and kept on disk where there is a cache.</summary>
    /// <param name="clip">A clip of the data set.</param>
    /// <param name="lowHz">Lower edge of what is listened to.</param>
    /// <param name="highHz">Upper edge; what lies above the recording's own band is left out.</param>
    public SoundActivity ActivityOf(Clip clip, double lowHz = SamplingSettings.DefaultLowHz, double highHz = SamplingSettings.DefaultHighHz) =>
        _activities.Of(clip, lowHz, highHz);

    /// <summary>Hands over the clip's sound in order, part by part, as far as it decodes.</summary>
    internal void Read(Clip clip, Action<ReadOnlySpan<float>> use)
    {
        var (first, end) = Stretch(clip);
        for (var at = first; at < end;)
        {
            float[] sound;
            long begin;
            try
            {
                (sound, begin) = _sound.At(clip, at, Math.Min(end, at + WindowSamples));
            }
            catch (AudioFileException) when (at > first)
            {
                return;   // the header promised more than decodes
            }
            var until = Math.Min(end, begin + sound.Length);
            if (until <= at) return;
            use(sound.AsSpan((int)(at - begin), (int)(until - at)));
            at = until;
        }
    }

    /// <summary>What stands for a clip's sound in the keys of the disk cache, or null.</summary>
    internal string? KeyOf(Clip clip) => _sound.KeyOf(clip) is { } key && Stretch(clip) is var (first, end) ? $"{key}|{first}-{end}" : null;

    /// <summary>First and end sample of a clip in its file, at our rate.</summary>
    (long First, long End) Stretch(Clip clip)
    {
        var length = _sound.FileOf(clip).Length;
        var first = (long)Math.Round(clip.StartSeconds * SampleRate);
        var end = clip.Seconds is { } seconds ? Math.Min(length, first + (long)Math.Round(seconds * SampleRate)) : length;
        return (first, Math.Max(first, end));
    }

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
