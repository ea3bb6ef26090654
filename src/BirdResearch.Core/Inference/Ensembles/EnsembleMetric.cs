namespace BirdResearch.Inference;

/// <summary>What an ensemble is chosen by, over the classes that have positives.</summary>
public enum EnsembleMetric
{
    /// <summary>Macro mean average precision (cmAP).</summary>
    MeanAveragePrecision,

    /// <summary>Macro area under the ROC curve; classes that lack a negative are left out too.</summary>
    RocAuc,
}
