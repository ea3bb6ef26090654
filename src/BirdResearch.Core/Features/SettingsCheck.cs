namespace BirdResearch.Features;

/// <summary>Checks every number of a front-end's settings; an error names the setting, its value and what it may be.</summary>
static class SettingsCheck
{
    static readonly string[] Scales = ["htk", "slaney"], Norms = ["slaney", "none"];
    static readonly string[] Encodings = ["linear", "mu-law"];
    static readonly string[] Paddings = ["reflect", "constant", "replicate", "circular"];

    public static void FrontEnd(FrontEndSettings settings)
    {
        Within("SampleRate", settings.SampleRate, 4_000, 384_000);
        if (settings.Channels is not (1 or 3))
            throw Refused("Channels", $"{settings.Channels}: it must be 1 or 3.");
        if (settings.Normalisation == Normalisation.Fixed)
        {
            Within("Mean", settings.Mean, -1e6, 1e6);
            Within("Std", settings.Std, 1e-6, 1e6);
        }
        if (settings.RowQuantile is { } quantile)
        {
            Within("RowQuantile", quantile, 0, 1);
            if (settings.Kind == "waveform")
                throw Refused("RowQuantile", FormattableString.Invariant($"{quantile}, but raw sound has no bands: leave it out, or take another kind."));
        }
        if (settings.BandMatching != BandMatching.None)
        {
            if (settings.Kind is "waveform" or "expand-and-sparsify")
                throw Refused("BandMatching", $"{settings.BandMatching}, but {settings.Kind} has no bands to match: take mel, pcen or kaldi-fbank, or none.");
            Within("MatchClips", settings.MatchClips, 1, 1 << 20);
        }
        if (settings.Kind == "kaldi-fbank")
        {
            Fbank(settings.Fbank, settings.SampleRate);
            return;
        }
        if (settings.Kind == "waveform")
        {
            Waveform(settings.Waveform);
            return;
        }
        Mel(settings.Mel);
        Within("Mel.MaxHz", settings.Mel.MaxHz, settings.Mel.MinHz, settings.SampleRate / 2.0);
        if (settings.Kind == "pcen") Pcen(settings.Pcen);
        if (settings.Kind == "expand-and-sparsify") Expansion(settings.Expansion, settings.Mel.Mels);
    }

    public static void Mel(MelSettings mel)
    {
        Within("Mel.Fft", mel.Fft, 4, 1 << 20);
        Within("Mel.WindowLength", mel.WindowLength ?? mel.Fft, 1, mel.Fft);
        Within("Mel.Hop", mel.Hop, 1, 1 << 20);
        Within("Mel.Mels", mel.Mels, 1, 4_096);
        Within("Mel.MinHz", mel.MinHz, 0, 1e6);
        Above("Mel.MaxHz", mel.MaxHz, mel.MinHz);
        Within("Mel.Power", mel.Power, 0.01, 10);
        Within("Mel.TopDb", mel.TopDb ?? 80, 0.1, 1_000);
        Within("Mel.Scale", mel.Scale, Scales);
        Within("Mel.Norm", mel.Norm, Norms);
        Within("Mel.Padding", mel.Padding, Paddings);
        Within("Mel.Window", mel.Window, Windows.Names);
    }

    public static void Pcen(PcenSettings pcen)
    {
        Within("Pcen.Gain", pcen.Gain, 0, 1);
        Within("Pcen.Bias", pcen.Bias, 1e-6, 1e6);
        Within("Pcen.Power", pcen.Power, 1e-3, 1);
        Within("Pcen.TimeConstantSeconds", pcen.TimeConstantSeconds, 1e-4, 1e4);
        Within("Pcen.Smoothing", pcen.Smoothing ?? 1, 1e-6, 1);
        Within("Pcen.Epsilon", pcen.Epsilon, 1e-20, 1e6);
        Within("Pcen.Scale", pcen.Scale, 1e-6, 1e12);
    }

    public static void Fbank(FbankSettings fbank, int sampleRate)
    {
        Within("Fbank.Bins", fbank.Bins, 1, 4_096);
        Within("Fbank.Window", fbank.Window, Windows.Names);
        Within("Fbank.FrameMilliseconds", fbank.FrameMilliseconds, 2_000.0 / sampleRate, 10_000);
        Within("Fbank.ShiftMilliseconds", fbank.ShiftMilliseconds, 1_000.0 / sampleRate, 10_000);
        Within("Fbank.PreEmphasis", fbank.PreEmphasis, 0, 1);
        Within("Fbank.MinHz", fbank.MinHz, 0, sampleRate / 2.0);
        var high = fbank.MaxHz > 0 ? fbank.MaxHz : sampleRate / 2.0 + fbank.MaxHz;
        Above("Fbank.MaxHz (from the Nyquist frequency when 0 or less)", high, fbank.MinHz);
        Within("Fbank.MaxHz", high, 0, sampleRate / 2.0);
        Within("Fbank.TargetFrames", fbank.TargetFrames ?? 1, 1, 1 << 24);
    }

    static void Waveform(WaveformSettings waveform)
    {
        Within("Waveform.Encoding", waveform.Encoding, Encodings);
        Within("Waveform.Mu", waveform.Mu, 1e-3, 1e6);
        if (waveform.Levels is not { } levels) return;
        Within("Waveform.Levels", levels, 2, 1 << 16);
        if (waveform.Encoding != "mu-law")
            throw Refused("Waveform.Levels", $"{levels}, but only the encoding mu-law rounds: set Waveform.Encoding, or no levels.");
    }

    static void Expansion(ExpansionSettings expansion, int mels)
    {
        Within("Expansion.Outputs", expansion.Outputs, 1, 1 << 20);
        Within("Expansion.K", expansion.K, 1, expansion.Outputs);
        Within("Expansion.Window", expansion.Window, 1, 4_096);
        Within("Expansion.Stride", expansion.Stride, 1, 4_096);
        Within("Expansion.InputShare", expansion.InputShare, 1e-6, 1);
        Within("Expansion.Inputs", expansion.Inputs ?? 1, 1, (double)mels * expansion.Window);
        Within("Expansion.FitClips", expansion.FitClips, 1, 1 << 20);
        if (expansion.Rule == SparsityRule.Threshold && expansion.K == expansion.Outputs)
            throw Refused("Expansion.K", $"{expansion.K}, all units: a threshold is for a unit that fires in some windows and not in others. Lower it.");
    }

    static void Within(string name, double value, double low, double high)
    {
        // Not a plain comparison of both ends: NaN must fail too.
        if (!(value >= low && value <= high))
            throw Refused(name, FormattableString.Invariant($"{value}: it must lie between {low} and {high}."));
    }

    static void Above(string name, double value, double low)
    {
        if (!(value > low))
            throw Refused(name, FormattableString.Invariant($"{value}: it must be above the lower edge, {low}."));
    }

    static void Within(string name, string value, IReadOnlyList<string> allowed)
    {
        if (!allowed.Contains(value))
            throw Refused(name, $"'{value}': it must be {string.Join(", ", allowed.SkipLast(1))} or {allowed[^1]}.");
    }

    static ArgumentException Refused(string name, string why) => new($"Front-end setting {name} is {why}");
}
