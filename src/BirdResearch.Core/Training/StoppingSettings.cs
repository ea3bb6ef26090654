namespace BirdResearch.Training;

/// <summary>Which weights a training ends with, and whether it may end early.</summary>
public sealed record StoppingSettings
{
    /// <summary>What is watched: <c>focal_map</c>, <c>focal_auc</c>, <c>focal_loss</c> or <c>train_loss</c>.</summary>
    public string Metric { get; init; } = "focal_map";

    /// <summary>Evaluations in a row without improvement after which training stops; 0 never stops early.</summary>
    public int Patience { get; init; }

    /// <summary>What the metric must gain to be called an improvement.</summary>
    public double MinimumChange { get; init; }

    /// <summary>
    /// The epoch whose weights are kept and scored: <c>last</c>, or <c>best</c> by the metric. A validation score of weights that were chosen by it
    /// flatters; that of the last epoch does not.
    /// </summary>
    public string Keep { get; init; } = "last";

    /// <summary>Whether the metric decides anything.</summary>
    internal bool IsWatched => Patience > 0 || KeepsBest;

    internal bool KeepsBest => Keep == "best";

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (!WatchedMetric.Names.Contains(Metric))
            throw new ArgumentException($"training.stopping.metric is '{Metric}'; it must be one of {string.Join(", ", WatchedMetric.Names)}.");
        if (Patience < 0) throw new ArgumentException($"training.stopping.patience is {Patience}; it must be at least 0.");
        if (MinimumChange is not (>= 0 and < 1e6))
            throw new ArgumentException($"training.stopping.minimum_change is {MinimumChange}; it must be at least 0.");
        if (Keep is not ("last" or "best")) throw new ArgumentException($"training.stopping.keep is '{Keep}'; it must be last or best.");
    }
}
