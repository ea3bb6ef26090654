namespace BirdResearch.Features;

/// <summary>
/// What changes a training sample, each with the probability that one sample is changed. Evaluation never sees any of it. The order here is
/// the order in which they are applied, see <see cref="Augmenter"/>.
/// </summary>
public sealed record AugmentationSettings
{
    /// <summary>Turning a clip around in time.</summary>
    public TimeShiftSettings TimeShift { get; init; } = new();

    /// <summary>Playing a clip faster or slower, which moves its pitch too.</summary>
    public SpeedSettings Speed { get; init; } = new();

    /// <summary>Making a clip faster or slower at the same pitch.</summary>
    public TimeStretchSettings TimeStretch { get; init; } = new();

    /// <summary>Moving the pitch at the same speed.</summary>
    public PitchShiftSettings PitchShift { get; init; } = new();

    /// <summary>The answer of a place.</summary>
    public ReverberationSettings Reverberation { get; init; } = new();

    /// <summary>Sound of another place behind a clip.</summary>
    public BackgroundSettings Background { get; init; } = new();

    /// <summary>Coloured noise.</summary>
    public NoiseSettings Noise { get; init; } = new();

    /// <summary>White noise of independent normal samples, as an amplifier's.</summary>
    public GaussianNoiseSettings GaussianNoise { get; init; } = new();

    /// <summary>Taking away what is low.</summary>
    public HighPassSettings HighPass { get; init; } = new();

    /// <summary>Taking away what is high.</summary>
    public LowPassSettings LowPass { get; init; } = new();

    /// <summary>Raising and lowering bands.</summary>
    public EqualiserSettings Equaliser { get; init; } = new();

    /// <summary>Louder or softer.</summary>
    public GainSettings Gain { get; init; } = new();

    /// <summary>The other sign.</summary>
    public PolaritySettings Polarity { get; init; } = new();

    /// <summary>One that a file of your own adds, see <see cref="AddedAugmentations"/>.</summary>
    public AddedSettings Added { get; init; } = new();

    /// <summary>Mixing a clip with others of its batch.</summary>
    public MixupSettings Mixup { get; init; } = new();

    /// <summary>A stretch of another clip of the batch in the place of a clip's own.</summary>
    public CutMixSettings CutMix { get; init; } = new();

    /// <summary>Masking bands and stretches of the features.</summary>
    public SpecAugmentSettings SpecAugment { get; init; } = new();

    /// <summary>Masking strips and boxes of the features.</summary>
    public XyMaskingSettings XyMasking { get; init; } = new();

    /// <summary>No augmentation at all.</summary>
    public static AugmentationSettings Off { get; } = new()
    {
        TimeShift = new() { Probability = 0 },
        Mixup = new() { Probability = 0 },
        SpecAugment = new() { Probability = 0 },
    };

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        _ = new Background(Background, null);
        using var augmenter = new Augmenter(this with { Background = new() }, 32_000);
    }
}
