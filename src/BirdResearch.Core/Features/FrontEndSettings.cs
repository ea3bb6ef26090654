namespace BirdResearch.Features;

/// <summary>How features are shifted and scaled before a model sees them.</summary>
public enum Normalisation
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Each clip to mean 0 and standard deviation 1 over all its rows and frames.</summary>
    PerClip,

    /// <summary>Each clip to mean 0 and then into [-1, 1] by its largest magnitude; for what reads sound as numbers of that range.</summary>
    Peak,

    /// <summary>With one fixed mean and standard deviation, <see cref="FrontEndSettings.Mean"/> and <see cref="FrontEndSettings.Std"/>.</summary>
    Fixed,
}

/// <summary>Everything that decides what a front-end computes; part of a run's identity.</summary>
public sealed record FrontEndSettings
{
    /// <summary><c>mel</c>, <c>pcen</c>, <c>kaldi-fbank</c>, <c>expand-and-sparsify</c> or <c>waveform</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Sample rate of the sound in Hz.</summary>
    public int SampleRate { get; init; } = 32_000;

    /// <summary>The mel spectrogram that <c>mel</c> gives and <c>pcen</c> and <c>expand-and-sparsify</c> start from.</summary>
    public MelSettings Mel { get; init; } = new();

    /// <summary>The per-channel energy normalisation, for <c>pcen</c>.</summary>
    public PcenSettings Pcen { get; init; } = new();

    /// <summary>The Kaldi filter bank, for <c>kaldi-fbank</c>.</summary>
    public FbankSettings Fbank { get; init; } = new();

    /// <summary>The expansion, for <c>expand-and-sparsify</c>.</summary>
    public ExpansionSettings Expansion { get; init; } = new();

    /// <summary>The raw sound, for <c>waveform</c>.</summary>
    public WaveformSettings Waveform { get; init; } = new();

    /// <summary>
    /// Quantile over the clip's frames that is taken off each row (mel band) before normalisation, in [0, 1], so that what sounds all the time is
    /// gone; null takes nothing off. Not for <c>waveform</c>.
    /// </summary>
    public double? RowQuantile { get; init; }

    /// <summary>Which statistics of each row are matched to those of soundscapes without labels, before normalisation; for <c>mel</c>, <c>pcen</c> and <c>kaldi-fbank</c>.</summary>
    public BandMatching BandMatching { get; init; } = BandMatching.None;

    /// <summary>Windows of training sound, and as many of soundscapes, that the statistics for <see cref="BandMatching"/> are taken from.</summary>
    public int MatchClips { get; init; } = 256;

    /// <summary>Normalisation of the mel, pcen or fbank features or of the raw sound.</summary>
    public Normalisation Normalisation { get; init; } = Normalisation.PerClip;

    /// <summary>Mean for <see cref="Normalisation.Fixed"/>.</summary>
    public double Mean { get; init; }

    /// <summary>Standard deviation for <see cref="Normalisation.Fixed"/>.</summary>
    public double Std { get; init; } = 1;

    /// <summary>1, or 3 to repeat the features for a model that expects an RGB image.</summary>
    public int Channels { get; init; } = 1;
}

/// <summary>A mel spectrogram, in torchaudio's and librosa's terms.</summary>
public sealed record MelSettings
{
    /// <summary>FFT length in samples.</summary>
    public int Fft { get; init; } = 1024;

    /// <summary>Window length in samples, at most the FFT's; null is the FFT's. A shorter one stands in the middle of the frame.</summary>
    public int? WindowLength { get; init; }

    /// <summary>Window by name, see <see cref="Windows"/>, in its periodic form.</summary>
    public string Window { get; init; } = "hanning";

    /// <summary>True divides the window by its own norm (torchaudio's <c>normalized="window"</c>).</summary>
    public bool UnitWindow { get; init; }

    /// <summary>Samples between frames.</summary>
    public int Hop { get; init; } = 500;

    /// <summary>Number of mel bands.</summary>
    public int Mels { get; init; } = 128;

    /// <summary>Lower edge in Hz.</summary>
    public double MinHz { get; init; } = 50;

    /// <summary>Upper edge in Hz.</summary>
    public double MaxHz { get; init; } = 14_000;

    /// <summary><c>htk</c> or <c>slaney</c>.</summary>
    public string Scale { get; init; } = "slaney";

    /// <summary>Filter norm: <c>slaney</c> (unit area) or <c>none</c>.</summary>
    public string Norm { get; init; } = "slaney";

    /// <summary>Exponent of the magnitude: 2 for power, 1 for magnitude.</summary>
    public double Power { get; init; } = 2;

    /// <summary>True centres frame i on sample <c>i * hop</c>, with half an FFT of padding at both ends; false starts it there.</summary>
    public bool Centre { get; init; } = true;

    /// <summary>What the padding holds: <c>reflect</c>, <c>constant</c> (zeros), <c>replicate</c> or <c>circular</c>.</summary>
    public string Padding { get; init; } = "reflect";

    /// <summary>Floor in dB below each clip's own peak; null gives power or magnitude instead of dB.</summary>
    public double? TopDb { get; init; } = 80;
}

/// <summary>A Kaldi filter bank as torchaudio's compliance module computes it.</summary>
public sealed record FbankSettings
{
    /// <summary>Number of mel bins.</summary>
    public int Bins { get; init; } = 128;

    /// <summary><c>hanning</c>, <c>povey</c>, <c>hamming</c>, <c>rectangular</c> or <c>blackman</c>, in its symmetric form.</summary>
    public string Window { get; init; } = "hanning";

    /// <summary>The constant term of the <c>blackman</c> window.</summary>
    public double Blackman { get; init; } = 0.42;

    /// <summary>Frame length in milliseconds.</summary>
    public double FrameMilliseconds { get; init; } = 25;

    /// <summary>Frame shift in milliseconds.</summary>
    public double ShiftMilliseconds { get; init; } = 10;

    /// <summary>Lower edge of the first filter in Hz.</summary>
    public double MinHz { get; init; } = 20;

    /// <summary>Upper edge of the last filter in Hz; 0 or less counts down from the Nyquist frequency.</summary>
    public double MaxHz { get; init; }

    /// <summary>Share of the sample before that is taken off each sample, frame by frame.</summary>
    public double PreEmphasis { get; init; } = 0.97;

    /// <summary>Whether each frame's mean is taken off.</summary>
    public bool RemoveDc { get; init; } = true;

    /// <summary>True keeps frames that lie whole in the sound; false centres one in each shift and mirrors the sound at its ends.</summary>
    public bool SnipEdges { get; init; } = true;

    /// <summary>Whether the FFT is lengthened to a power of two.</summary>
    public bool PowerOfTwo { get; init; } = true;

    /// <summary>True sums powers, false magnitudes.</summary>
    public bool Power { get; init; } = true;

    /// <summary>Whether the natural logarithm is taken, of at least 1.1920929e-07.</summary>
    public bool Log { get; init; } = true;

    /// <summary>Where the log energy of each frame goes, if anywhere.</summary>
    public EnergyColumn Energy { get; init; } = EnergyColumn.None;

    /// <summary>True takes the energy before pre-emphasis and window, false after them.</summary>
    public bool RawEnergy { get; init; } = true;

    /// <summary>Smallest energy before its logarithm; 0 for none but the smallest single-precision step.</summary>
    public double EnergyFloor { get; init; } = 1;

    /// <summary>Whether each column's mean over the frames is taken off.</summary>
    public bool SubtractMean { get; init; }

    /// <summary>Frames to pad with zeros or cut to, before normalisation (as SSAMBA does); null keeps what the sound gives.</summary>
    public int? TargetFrames { get; init; }
}

/// <summary>Place of the energy among a Kaldi filter bank's columns.</summary>
public enum EnergyColumn
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>Before the mel bins (Kaldi).</summary>
    First,

    /// <summary>After the mel bins (HTK).</summary>
    Last,
}
