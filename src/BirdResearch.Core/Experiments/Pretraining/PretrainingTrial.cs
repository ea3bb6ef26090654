using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>What is pretrained on which sound, and how. Its defaults are the published recipe on the data set that is made here.</summary>
public sealed record PretrainingTrial
{
    /// <summary>Names or folders of the data sets.</summary>
    public IReadOnlyList<string> Data { get; init; } = [Datasets.Synthetic];

    /// <summary>Name of the model, one of <see cref="Models.SsambaCatalogue"/>.</summary>
    public string Model { get; init; } = "ssamba_tiny";

    /// <summary>Catalogue name of the front-end.</summary>
    public string FrontEnd { get; init; } = "ssamba-fbank-10s";

    /// <summary>The front-end's numbers when they differ from the catalogue's; null takes the catalogue's.</summary>
    public FrontEndSettings? Features { get; init; }

    /// <summary>Fold whose recordings are held out, as in the training that will follow; null learns from all folds.</summary>
    public int? Fold { get; init; }

    /// <summary>Seed of initialisation, order, windows and masks.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Training set-up.</summary>
    public PretrainingSettings Training { get; init; } = new();
}
