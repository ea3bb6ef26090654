namespace BirdResearch.Features;

/// <summary>What becomes of the labels of mixed clips.</summary>
public enum MixedLabels
{
    /// <summary>Each clip's labels by its share of the sound, as mixup was published (Zhang et al. 2018).</summary>
    Weighted,

    /// <summary>The union: a bird that is heard is heard, however softly (BirdNET, BirdCLEF).</summary>
    Union,
}

/// <summary>Settings of <see cref="Features.Mixup"/>.</summary>
public sealed record MixupSettings
{
    /// <summary>Probability that a clip is mixed with others of its batch.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>
    /// Parameter of the symmetric Dirichlet distribution that the weights are drawn from; for two clips that is Beta(alpha, alpha).
    /// </summary>
    public double Alpha { get; init; } = 0.4;

    /// <summary>Most other clips in a mixture; each number from 1 on is drawn alike often, and a small batch may have fewer.</summary>
    public int Others { get; init; } = 1;

    /// <summary>Smallest weight of any clip in a mixture, so that no label stands for a sound that nobody hears.</summary>
    public double MinWeight { get; init; }

    /// <summary>What becomes of the labels.</summary>
    public MixedLabels Labels { get; init; } = MixedLabels.Weighted;
}

/// <summary>Settings of <see cref="Features.CutMix"/>.</summary>
public sealed record CutMixSettings
{
    /// <summary>Probability that a stretch of a clip is replaced.</summary>
    public double Probability { get; init; }

    /// <summary>Both parameters of the Beta distribution that the share is drawn from.</summary>
    public double Alpha { get; init; } = 1;

    /// <summary>What becomes of the labels.</summary>
    public MixedLabels Labels { get; init; } = MixedLabels.Weighted;
}
