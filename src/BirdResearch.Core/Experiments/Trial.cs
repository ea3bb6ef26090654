using BirdResearch.Features;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>One cell of an ablation: what is trained on what, and how. Its defaults are the baseline, so a trial shows only what it changes.</summary>
public sealed record Trial
{
    /// <summary>What the arm is called in reports, such as <c>AdaBN</c>; empty leaves it to what sets it apart. No part of a run's identity.</summary>
    public string Label { get; init; } = "";

    /// <summary>File and digest of the code that adds the arm, where it is not a part of this program; empty where it is.</summary>
    public string Code { get; init; } = "";

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
