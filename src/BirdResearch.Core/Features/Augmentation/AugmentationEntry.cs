namespace BirdResearch.Features;

/// <summary>Where in a sample's way an augmentation works.</summary>
public enum AugmentationStage
{
    /// <summary>On each window by itself, while it is read.</summary>
    Window,

    /// <summary>On a batch of sound with its labels.</summary>
    Batch,

    /// <summary>On features.</summary>
    Features,
}

/// <summary>An augmentation of the catalogue.</summary>
/// <param name="Name">Its name among <see cref="AugmentationCounts"/>.</param>
/// <param name="Stage">Where it works.</param>
/// <param name="About">One sentence.</param>
/// <param name="Alone">Settings that switch on this one alone with a probability, the rest as it is by default.</param>
public sealed record AugmentationEntry(string Name, AugmentationStage Stage, string About, Func<double, AugmentationSettings> Alone)
{
    /// <summary>What there is to see and hear of it: settings with their names, such as the two ends of its range.</summary>
    public IReadOnlyList<(string Label, AugmentationSettings Settings)> Shown { get; init; } = [];
}
