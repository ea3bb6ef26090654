namespace BirdResearch.Experiments;

/// <summary>How much of an ablation one worker does, and what it does when something fails.</summary>
public sealed record WorkerSettings
{
    /// <summary>Most runs that it trains; what exists does not count.</summary>
    public int MostRuns { get; init; } = int.MaxValue;

    /// <summary>Seconds for which it waits in the end, without anything to do, for runs that others train; infinite until all are finished.</summary>
    public double PatienceSeconds { get; init; } = double.PositiveInfinity;

    /// <summary>Whether it goes on with the other runs after one that failed.</summary>
    public bool GoesOn { get; init; } = true;

    /// <summary>Workers of one call that may die with a run before the call gives it up.</summary>
    public int MostDeaths { get; init; } = 3;

    /// <summary>Throws an error that names a setting out of its range.</summary>
    public void Check()
    {
        if (MostRuns < 1) throw new ArgumentException($"most_runs is {MostRuns}; it must be at least 1.");
        if (!(PatienceSeconds >= 0)) throw new ArgumentException($"patience_seconds is {PatienceSeconds}; it must be at least 0.");
        if (MostDeaths < 1) throw new ArgumentException($"most_deaths is {MostDeaths}; it must be at least 1.");
    }
}
