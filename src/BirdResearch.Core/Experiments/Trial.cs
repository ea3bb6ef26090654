using BirdResearch.Features;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>One cell of an ablation: what is trained on what, and how. Its defaults are the baseline, so a trial shows only what it changes.</summary>
public sealed record Trial
{
    /// <summary>Data set name or folder.</summary>
    public string Data { get; init; } = "synthetic-birds";

    /// <summary>Catalogue name of the model.</summary>
    public string Model { get; init; } = "tsresnet18";

    /// <summary>Catalogue name of the front-end.</summary>
    public string FrontEnd { get; init; } = "mel";

    /// <summary>The front-end's numbers when they differ from the catalogue's; null takes the catalogue's.</summary>
    public FrontEndSettings? Features { get; init; }

    /// <summary>Fold that is held out for validation; null takes the data set's first.</summary>
    public int? Fold { get; init; }

    /// <summary>Seed of initialisation, order, windows and augmentation.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Training set-up.</summary>
    public TrainingSettings Training { get; init; } = new();
}
