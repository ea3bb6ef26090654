namespace BirdResearch.Training;

/// <summary>What the epochs so far say about the best one and about stopping: a pure function of them, so that nothing of it need be saved.</summary>
/// <param name="BestEpoch">Epoch of the best value, counted from 1, the earlier of equals; 0 while there is none.</param>
/// <param name="Waited">Evaluations since the last improvement.</param>
/// <param name="IsOver">Whether patience has run out.</param>
public readonly record struct Stopping(int BestEpoch, int Waited, bool IsOver)
{
    /// <summary>Reads the evaluated epochs in order.</summary>
    /// <param name="settings">What is watched, and how patiently.</param>
    /// <param name="rows">The epochs so far.</param>
    /// <param name="isEvaluated">Whether the epoch of a row was evaluated.</param>
    public static Stopping After(StoppingSettings settings, IEnumerable<EpochRow> rows, Func<EpochRow, bool> isEvaluated)
    {
        var (best, bestEpoch, reference, waited) = (double.NegativeInfinity, 0, double.NegativeInfinity, 0);
        foreach (var row in rows.Where(isEvaluated))
        {
            var value = WatchedMetric.Of(settings.Metric, row) is { } v && !double.IsNaN(v) ? v : double.NegativeInfinity;
            if (value > best) (best, bestEpoch) = (value, row.Epoch);
            if (value > reference + settings.MinimumChange) (reference, waited) = (value, 0);
            else waited++;
        }
        return new Stopping(bestEpoch, waited, settings.Patience > 0 && waited >= settings.Patience);
    }
}
