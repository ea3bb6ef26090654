namespace BirdResearch.Features;

/// <summary>How features are shifted and scaled before a model sees them.</summary>
public enum Normalisation
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Each clip to mean 0 and standard deviation 1 over all its rows and frames.</summary>
    PerClip,

    /// <summary>With one fixed mean and standard deviation, <see cref="FrontEndSettings.Mean"/> and <see cref="FrontEndSettings.Std"/>.</summary>
    Fixed,
}

/// <summary>Everything that decides what a front-end computes; part of a run's identity.</summary>
public sealed record FrontEndSettings
{
    /// <summary><c>mel</c>, <c>kaldi-fbank</c> or <c>expand-and-sparsify</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Sample rate of the sound in Hz.</summary>
    public int SampleRate { get; init; } = 32_000;

    /// <summary>The mel spectrogram that <c>mel</c> gives and <c>expand-and-sparsify</c> starts from.</summary>
    public MelSettings Mel { get; init; } = new();

    /// <summary>The Kaldi filter bank, for <c>kaldi-fbank</c>.</summary>
    public FbankSettings Fbank { get; init; } = new();

    /// <summary>The expansion, for <c>expand-and-sparsify</c>.</summary>
    public ExpansionSettings Expansion { get; init; } = new();

    /// <summary>Normalisation of the mel or fbank features.</summary>
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
    /// <summary>FFT length and window length in samples.</summary>
    public int Fft { get; init; } = 1024;

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

    /// <summary>Padding of the half window at both ends: <c>reflect</c> or <c>constant</c>.</summary>
    public string Padding { get; init; } = "reflect";

    /// <summary>Floor in dB below each clip's own peak; null gives power or magnitude instead of dB.</summary>
    public double? TopDb { get; init; } = 80;
}

/// <summary>A Kaldi filter bank as torchaudio's compliance module computes it.</summary>
public sealed record FbankSettings
{
    /// <summary>Number of mel bins.</summary>
    public int Bins { get; init; } = 128;

    /// <summary><c>hanning</c>, <c>povey</c>, <c>hamming</c>, <c>rectangular</c> or <c>blackman</c>.</summary>
    public string Window { get; init; } = "hanning";

    /// <summary>Frame length in milliseconds.</summary>
    public double FrameMilliseconds { get; init; } = 25;

    /// <summary>Frame shift in milliseconds.</summary>
    public double ShiftMilliseconds { get; init; } = 10;
}

/// <summary>Convolutional expand-and-sparsify: a fixed random projection of a sliding window, of which the k largest stay.</summary>
public sealed record ExpansionSettings
{
    /// <summary>Units of the expanded representation, far above the number of mel bands.</summary>
    public int Outputs { get; init; } = 512;

    /// <summary>Units kept per time step.</summary>
    public int K { get; init; } = 32;

    /// <summary>Mel frames that the kernel spans.</summary>
    public int Window { get; init; } = 8;

    /// <summary>Mel frames between time steps.</summary>
    public int Stride { get; init; } = 2;

    /// <summary>True gives 1 for a kept unit, false its activation.</summary>
    public bool Binary { get; init; } = true;

    /// <summary>Seed of the random kernel.</summary>
    public int Seed { get; init; } = 1;
}
