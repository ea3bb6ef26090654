namespace BirdResearch.Features;

/// <summary>Settings of an augmentation that <see cref="AddedAugmentations"/> holds.</summary>
public sealed record AddedSettings
{
    /// <summary>Its name; null for none.</summary>
    public string? Name { get; init; }

    /// <summary>Probability that a clip is changed.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>How strongly, in whatever unit it has.</summary>
    public double Amount { get; init; } = 1;
}
