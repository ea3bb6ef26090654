namespace BirdResearch.Features;

/// <summary>What changes a training sample, each with the probability that one sample is changed. Evaluation never sees any of it.</summary>
public sealed record AugmentationSettings
{
    /// <summary>Turning a clip around in time.</summary>
    public TimeShiftSettings TimeShift { get; init; } = new();

    /// <summary>Mixing a clip with others of its batch.</summary>
    public MixupSettings Mixup { get; init; } = new();

    /// <summary>Masking bands and stretches of the features.</summary>
    public SpecAugmentSettings SpecAugment { get; init; } = new();

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
        using var augmenter = new Augmenter(this, 32_000);
    }
}

/// <summary>Settings of <see cref="Features.TimeShift"/>.</summary>
public sealed record TimeShiftSettings
{
    /// <summary>Probability that a clip is turned.</summary>
    public double Probability { get; init; } = 0.5;
}

/// <summary>Settings of <see cref="Features.Mixup"/>.</summary>
public sealed record MixupSettings
{
    /// <summary>Probability that a clip is mixed with another clip of its batch.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>Both parameters of the Beta distribution that the weight is drawn from.</summary>
    public double Alpha { get; init; } = 0.4;

    /// <summary>What becomes of the labels.</summary>
    public MixedLabels Labels { get; init; } = MixedLabels.Weighted;
}

/// <summary>Settings of <see cref="Features.SpecAugment"/>.</summary>
public sealed record SpecAugmentSettings
{
    /// <summary>Probability that a clip gets masks.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Frequency masks per clip.</summary>
    public int FrequencyMasks { get; init; } = 1;

    /// <summary>Largest share of the rows that one frequency mask covers.</summary>
    public double FrequencyShare { get; init; } = 0.15;

    /// <summary>Time masks per clip.</summary>
    public int TimeMasks { get; init; } = 2;

    /// <summary>Largest share of the frames that one time mask covers.</summary>
    public double TimeShare { get; init; } = 0.15;
}
