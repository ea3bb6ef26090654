namespace BirdResearch.Training;

/// <summary>
/// Stochastic weight averaging (Izmailov et al. 2018): over the last part of the training the learning rate stays where it is, and the weights after
/// each step are averaged, all alike. Batch norms get statistics of training windows under the averaged weights.
/// </summary>
public sealed record SwaSettings
{
    /// <summary>Share of the budget, at its end, over which weights are averaged, such as 0.25; 0 switches averaging off.</summary>
    public double Share { get; init; }

    /// <summary>
    /// Training windows, without augmentation, that the batch norms' statistics are estimated from, at most as many as come; the time of this is
    /// evaluation's, not the budget's.
    /// </summary>
    public int Windows { get; init; } = 128;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (Share is not (>= 0 and < 1))
            throw new ArgumentException(FormattableString.Invariant($"training.swa.share is {Share}; it must be at least 0 and below 1."));
        if (Windows < 2) throw new ArgumentException($"training.swa.windows is {Windows}; it must be at least 2.");
    }
}
