using System.Globalization;
using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>The rules by name, and what they say about the measurements of one file.</summary>
public static class ScanRules
{
    /// <summary>A table names it, and it is not there.</summary>
    public const string Missing = "missing";

    /// <summary>0 bytes.</summary>
    public const string Empty = "empty";

    /// <summary>The operating system does not let it be read.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>The text that Git LFS leaves in place of a file.</summary>
    public const string GitLfsPointer = "git_lfs_pointer";

    /// <summary>Neither header nor content of any sound file.</summary>
    public const string NotSound = "not_sound";

    /// <summary>Begins as a sound file and cannot be decoded.</summary>
    public const string Undecodable = "undecodable";

    /// <summary>A good header without samples.</summary>
    public const string NoSamples = "no_samples";

    /// <summary>The decoder took its process with it.</summary>
    public const string DecoderCrashed = "decoder_crashed";

    /// <summary>The decoder gave no sign of life.</summary>
    public const string DecoderHung = "decoder_hung";

    /// <summary>Longer than the longest that is allowed.</summary>
    public const string TooLong = "too_long";

    /// <summary>NaN, infinity or absurdly large samples.</summary>
    public const string NotFinite = "not_finite";

    /// <summary>No sound, or hardly any.</summary>
    public const string Silent = "silent";

    /// <summary>Channels that cancel when they are averaged.</summary>
    public const string ChannelsCancel = "channels_cancel";

    /// <summary>Too few samples to learn from.</summary>
    public const string TooShort = "too_short";

    /// <summary>Less sound than the header or the container promises.</summary>
    public const string Truncated = "truncated";

    /// <summary>Samples at full scale.</summary>
    public const string Clipped = "clipped";

    /// <summary>Largely digital silence.</summary>
    public const string MostlySilent = "mostly_silent";

    /// <summary>A low peak.</summary>
    public const string Quiet = "quiet";

    /// <summary>A mean away from zero.</summary>
    public const string DcOffset = "dc_offset";

    /// <summary>An extension of another format.</summary>
    public const string WrongExtension = "wrong_extension";

    /// <summary>A low sample rate.</summary>
    public const string LowRate = "low_rate";

    /// <summary>More channels than two.</summary>
    public const string ManyChannels = "many_channels";

    /// <summary>The same decoded sound as another file.</summary>
    public const string Duplicate = "duplicate";

    /// <summary>Another encoding or cut of the sound of another file.</summary>
    public const string NearDuplicate = "near_duplicate";

    /// <summary>The same sound as another file, which has another label.</summary>
    public const string LabelConflict = "label_conflict";

    /// <summary>A stretch of sound in common with another file.</summary>
    public const string SharesSound = "shares_sound";

    /// <summary>The same recording on both sides of a split.</summary>
    public const string RecordingLeak = "recording_leak";

    /// <summary>What the rules find in one file's measurements, worst first.</summary>
    public static IReadOnlyList<Finding> Of(SoundMeasures m, ScanSettings s)
    {
        if (m.Problem is { } problem && problem != TooLong) return [new(m.File, problem, Severity.Error, m.ProblemDetail ?? "")];
        var found = new List<Finding>();
        if (m.Problem is not null) Error(TooLong, m.ProblemDetail ?? "");
        if (m.NotFinite > 0) Error(NotFinite, $"{m.NotFinite} samples are NaN, infinite or beyond 1e12.");
        var sounding = m.Seconds * (1 - m.DigitalSilence);
        if (m.Seconds < s.ShortError) Error(TooShort, Text($"{m.Seconds:0.###} s; needs {s.ShortError:0.###} s."));
        else if (m.Seconds < s.ShortWarning) Warning(TooShort, Text($"{m.Seconds:0.###} s."));
        if (m.CancellationDb >= s.CancellationErrorDb) Error(ChannelsCancel, Text($"averaging its {m.Channels} channels loses {m.CancellationDb:0} dB."));
        else if (m.CancellationDb >= s.CancellationWarningDb) Warning(ChannelsCancel, Text($"averaging its {m.Channels} channels loses {m.CancellationDb:0.0} dB."));
        if (m.Peak == 0 || m.NearSilence >= 1 && m.CancellationDb < s.CancellationErrorDb && m.Seconds >= s.ShortError)
            Error(Silent, Text($"nowhere louder than {s.NearSilenceDb:0} dB (peak {m.Peak:0.######})."));
        else if (sounding < s.LeastSoundSeconds && m.Seconds >= s.ShortError) Error(Silent, Text($"{sounding:0.###} s of sound in {m.Seconds:0.###} s."));
        else if (m.DigitalSilence >= s.SilenceWarning) Warning(MostlySilent, Text($"{m.DigitalSilence:P0} digital silence; {sounding:0.00} s of sound."));
        AddTruncation(m, s, found);
        if (m.ClippedShare >= s.ClippedError) Error(Clipped, Text($"{m.ClippedShare:P1} of its samples."));
        else if (m.ClippedShare >= s.ClippedWarning) Warning(Clipped, Text($"{m.ClippedShare:P2} of its samples."));
        if (m.Peak > 0 && m.Peak < s.QuietPeak) Warning(Quiet, Text($"peak {20 * Math.Log10(m.Peak):0} dB."));
        if (Math.Abs(m.Mean) > s.DcOffset) Warning(DcOffset, Text($"mean {m.Mean:0.0000}."));
        if (m.Format is { } format && !SoundSignature.Fits(format, Path.GetExtension(m.File)))
            Warning(WrongExtension, $"is {format} and called {(Path.GetExtension(m.File) is { Length: > 0 } e ? e : "nothing")}.");
        if (m.SampleRate < s.LowRate) Warning(LowRate, $"{m.SampleRate} Hz: nothing above {m.SampleRate / 2} Hz.");
        if (m.Channels > s.MostChannels) Warning(ManyChannels, $"{m.Channels} channels.");
        return [.. found.OrderByDescending(f => f.Severity)];

        void Error(string rule, string detail) => found.Add(new(m.File, rule, Severity.Error, detail));
        void Warning(string rule, string detail) => found.Add(new(m.File, rule, Severity.Warning, detail));
    }

    static void AddTruncation(SoundMeasures m, ScanSettings s, List<Finding> found)
    {
        var slack = m.Format == "MP3" ? 2 * 1152 : 0;   // what encoders add at both ends
        var undecoded = m.PromisedFrames is { } promised && m.Problem is null && promised - m.Frames > slack ? 1 - m.Frames / (double)promised : 0;
        var missing = Math.Max(undecoded, m.MissingBytes ?? 0);
        if (missing > s.MissingWarning)
        {
            var severity = missing > s.MissingError ? Severity.Error : Severity.Warning;
            var tail = m.Complaint is { } said && undecoded > 0 ? $" ({said})" : "";
            found.Add(new(m.File, Truncated, severity, Text($"{missing:P1} of the sound that it promises is not there{tail}.")));
        }
        else if (m.LacksEnd)
        {
            found.Add(new(m.File, Truncated, Severity.Warning, "the Ogg stream has no end; it was cut off."));
        }
        else if (m.Complaint is { } complaint && m.Problem is null)
        {
            found.Add(new(m.File, Truncated, Severity.Warning, $"decodes, with a complaint: {complaint}."));
        }
    }

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
