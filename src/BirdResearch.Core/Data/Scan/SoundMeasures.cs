namespace BirdResearch.Data;

/// <summary>All that a scan measures on one file. Levels are of full scale 1; shares lie between 0 and 1.</summary>
public sealed record SoundMeasures
{
    /// <summary>Path below the folder that was scanned, with forward slashes.</summary>
    public required string File { get; init; }

    /// <summary>Length of the file in bytes.</summary>
    public long Bytes { get; init; }

    /// <summary>When it was last written, in ticks of UTC.</summary>
    public long Written { get; init; }

    /// <summary>The <see cref="ScanSettings.MeasureKey"/> that it was measured under.</summary>
    public string Key { get; init; } = "";

    /// <summary>The rule that it breaks so badly that there is no sound to measure; null where there is.</summary>
    public string? Problem { get; init; }

    /// <summary>The problem in words.</summary>
    public string? ProblemDetail { get; init; }

    /// <summary>What the file is by its first bytes, see <c>SoundSignature</c>.</summary>
    public string? Signature { get; init; }

    /// <summary>Container as decoded.</summary>
    public string? Format { get; init; }

    /// <summary>Encoding as decoded.</summary>
    public string? Subtype { get; init; }

    /// <summary>In Hz.</summary>
    public int SampleRate { get; init; }

    /// <summary>Number of channels.</summary>
    public int Channels { get; init; }

    /// <summary>Samples per channel as the header says; possibly absurd.</summary>
    public long HeaderFrames { get; init; }

    /// <summary>The same where it can be believed: not absurd for the file's size, and no estimate; else null.</summary>
    public long? PromisedFrames { get; init; }

    /// <summary>Samples per channel that decoded.</summary>
    public long Frames { get; init; }

    /// <summary>Length of what decoded.</summary>
    public double Seconds => SampleRate > 0 ? (double)Frames / SampleRate : 0;

    /// <summary>Share of the sound that a WAV header announces and the file does not hold; null where unknown.</summary>
    public double? MissingBytes { get; init; }

    /// <summary>Whether an Ogg file lacks its last page.</summary>
    public bool LacksEnd { get; init; }

    /// <summary>What the decoder said at the end; null when content.</summary>
    public string? Complaint { get; init; }

    /// <summary>Share of clipped samples, over all channels.</summary>
    public double ClippedShare { get; init; }

    /// <summary>Share of digital silence: every channel keeps one value for 10 ms and more.</summary>
    public double DigitalSilence { get; init; }

    /// <summary>Share of 50 ms stretches of the mono sound below the near-silence level, digital silence included.</summary>
    public double NearSilence { get; init; }

    /// <summary>Samples, over all channels, that are NaN, infinite or beyond 1e12.</summary>
    public long NotFinite { get; init; }

    /// <summary>Mean of the mono sound.</summary>
    public double Mean { get; init; }

    /// <summary>Loudest sample of any channel.</summary>
    public double Peak { get; init; }

    /// <summary>Root-mean-square of the mono sound.</summary>
    public double Rms { get; init; }

    /// <summary>Decibels lost by averaging the channels; 0 for one channel, at most 200.</summary>
    public double CancellationDb { get; init; }

    /// <summary>SHA-256 (hex) over rate and mono samples; null where there is no sound.</summary>
    public string? SoundHash { get; init; }

    /// <summary>The fingerprint; see <see cref="Fingerprint"/>.</summary>
    public byte[]? FingerprintBytes { get; init; }
}
