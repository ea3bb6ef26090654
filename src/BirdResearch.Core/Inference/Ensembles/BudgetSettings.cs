namespace BirdResearch.Inference;

/// <summary>How members are chosen under a budget.</summary>
public sealed record BudgetSettings
{
    /// <summary>What is averaged.</summary>
    public EnsembleRule Rule { get; init; } = EnsembleRule.Probabilities;

    /// <summary>What is maximised.</summary>
    public EnsembleMetric Metric { get; init; } = EnsembleMetric.MeanAveragePrecision;

    /// <summary>Up to this many members every subset is tried; of more, those that adding one member at a time leads to.</summary>
    public int MostForAllSubsets { get; init; } = 12;

    /// <summary>Up to this many members weights are fitted for every subset; of more, for those that no other beats.</summary>
    public int MostForAllWeights { get; init; } = 6;

    /// <summary>Finds weights for the ensembles that are worth their time, from validation rows of their members alone; null counts members alike.</summary>
    public Func<ValidatedMembers, FittedWeights>? Fit { get; init; }
}
