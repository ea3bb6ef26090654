using System.Globalization;

namespace BirdResearch.Data;

/// <summary>What <c>bird scan</c> measures and from where on it objects. Shares lie between 0 and 1.</summary>
public sealed record ScanSettings
{
    /// <summary>Threads, and worker processes, that decode; 0 means one per core.</summary>
    public int Threads { get; init; }

    /// <summary>A file whose decoder gives no sign of life for this long is given up.</summary>
    public double PatienceSeconds { get; init; } = 30;

    /// <summary>A sample at least this loud, of full scale 1, counts as clipped.</summary>
    public double ClipLevel { get; init; } = 0.99;

    /// <summary>Clipped share that is a warning.</summary>
    public double ClippedWarning { get; init; } = 0.001;

    /// <summary>Clipped share that is an error.</summary>
    public double ClippedError { get; init; } = 0.25;

    /// <summary>Level in dB of full scale below which 50 ms count as nearly silent.</summary>
    public double NearSilenceDb { get; init; } = -65;

    /// <summary>Share of digital silence (the same value for 10 ms and more) that is a warning.</summary>
    public double SilenceWarning { get; init; } = 0.5;

    /// <summary>Less sound than this many seconds, whatever the file's length, is an error.</summary>
    public double LeastSoundSeconds { get; init; } = 0.1;

    /// <summary>A peak below this, of full scale 1, is a warning.</summary>
    public double QuietPeak { get; init; } = 0.01;

    /// <summary>A mean further than this from zero, of full scale 1, is a warning.</summary>
    public double DcOffset { get; init; } = 0.01;

    /// <summary>A file shorter than this many seconds is an error.</summary>
    public double ShortError { get; init; } = 0.25;

    /// <summary>A file shorter than this many seconds is a warning.</summary>
    public double ShortWarning { get; init; } = 1;

    /// <summary>A file longer than this many hours is not decoded further and is an error.</summary>
    public double LongestHours { get; init; } = 24;

    /// <summary>Share of the promised sound that may be missing before it is a warning.</summary>
    public double MissingWarning { get; init; } = 0.005;

    /// <summary>Share of the promised sound that may be missing before it is an error.</summary>
    public double MissingError { get; init; } = 0.1;

    /// <summary>Decibels lost by averaging the channels that are a warning; channels that have nothing in common lose 3.</summary>
    public double CancellationWarningDb { get; init; } = 6;

    /// <summary>Decibels lost by averaging the channels that are an error.</summary>
    public double CancellationErrorDb { get; init; } = 20;

    /// <summary>A sample rate in Hz below this is a warning, for lack of treble.</summary>
    public int LowRate { get; init; } = 22_050;

    /// <summary>More channels than this are a warning.</summary>
    public int MostChannels { get; init; } = 2;

    /// <summary>Share of differing fingerprint bits up to which two stretches may be the same sound; chance gives 0.5.</summary>
    public double MatchErrors { get; init; } = 0.3;

    /// <summary>Seconds of sound that two files must share to be near-duplicates; half of the shorter one, where that is less.</summary>
    public double MatchSeconds { get; init; } = 3;

    /// <summary>Share of the shorter file, in sound, from which on it counts as a copy and not as a file that shares a stretch.</summary>
    public double CopyShare { get; init; } = 0.8;

    /// <summary>Correlation of the waveforms, 0 to 1, that two stretches with the same fingerprint must have to be the same sound.</summary>
    public double MatchCorrelation { get; init; } = 0.5;

    /// <summary>What a measurement depends on; one taken under another key is taken again. All other settings only judge.</summary>
    internal string MeasureKey => string.Create(
        CultureInfo.InvariantCulture, $"2/{Fingerprint.Version}/{ClipLevel:R}/{NearSilenceDb:R}/{LongestHours:R}");

    /// <summary>Refuses values that make no sense, by name.</summary>
    public void Check()
    {
        InRange(Threads, 0, 1024, nameof(Threads));
        InRange(PatienceSeconds, 0.1, 86_400, nameof(PatienceSeconds));
        foreach (var (value, name) in new[]
        {
            (ClipLevel, nameof(ClipLevel)), (ClippedWarning, nameof(ClippedWarning)), (ClippedError, nameof(ClippedError)),
            (SilenceWarning, nameof(SilenceWarning)), (QuietPeak, nameof(QuietPeak)), (DcOffset, nameof(DcOffset)),
            (MissingWarning, nameof(MissingWarning)), (MissingError, nameof(MissingError)), (CopyShare, nameof(CopyShare)),
            (MatchCorrelation, nameof(MatchCorrelation)),
        }) InRange(value, 0, 1, name);
        InRange(MatchErrors, 0, 0.45, nameof(MatchErrors));
        InRange(MatchSeconds, 0.5, 3600, nameof(MatchSeconds));
        InRange(NearSilenceDb, -200, 0, nameof(NearSilenceDb));
        InRange(LongestHours, 0.001, 10_000, nameof(LongestHours));
    }

    static void InRange(double value, double least, double most, string name)
    {
        if (!(value >= least && value <= most)) throw new ArgumentException($"{name} is {value}; it lies between {least} and {most}.");
    }
}
