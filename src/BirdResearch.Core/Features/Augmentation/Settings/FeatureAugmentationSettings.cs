namespace BirdResearch.Features;

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

/// <summary>What a masked cell holds.</summary>
public enum MaskFill
{
    /// <summary>What the front-end gives, see <see cref="FrontEnd.MaskedValue"/>.</summary>
    MaskedValue,

    /// <summary>The mean of the clip's own features.</summary>
    Mean,

    /// <summary>The smallest of the clip's own features: silence in a spectrogram.</summary>
    Minimum,
}

/// <summary>
/// Settings of <see cref="Features.XyMasking"/>. Lengths are shares of an axis, where albumentations counts cells, so that they mean the same for
/// every front-end.
/// </summary>
public sealed record XyMaskingSettings
{
    /// <summary>Probability that a clip gets masks.</summary>
    public double Probability { get; init; }

    /// <summary>Fewest strips across all rows (x: time).</summary>
    public int MinXMasks { get; init; } = 1;

    /// <summary>Most strips across all rows.</summary>
    public int MaxXMasks { get; init; } = 3;

    /// <summary>Fewest strips across all frames (y: frequency).</summary>
    public int MinYMasks { get; init; } = 1;

    /// <summary>Most strips across all frames.</summary>
    public int MaxYMasks { get; init; } = 3;

    /// <summary>Fewest boxes, as long as a strip on both axes.</summary>
    public int MinBoxes { get; init; }

    /// <summary>Most boxes.</summary>
    public int MaxBoxes { get; init; }

    /// <summary>Smallest share of the frames that one mask covers.</summary>
    public double MinXShare { get; init; }

    /// <summary>Largest share of the frames that one mask covers.</summary>
    public double MaxXShare { get; init; } = 0.1;

    /// <summary>Smallest share of the rows that one mask covers.</summary>
    public double MinYShare { get; init; }

    /// <summary>Largest share of the rows that one mask covers.</summary>
    public double MaxYShare { get; init; } = 0.1;

    /// <summary>What a masked cell holds.</summary>
    public MaskFill Fill { get; init; } = MaskFill.MaskedValue;
}
