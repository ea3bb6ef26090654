using BirdResearch.Data;

namespace BirdResearch.Experiments;

/// <summary>Trials made from a trial by changing settings: every combination, or draws at random.</summary>
public static class Sweep
{
    /// <summary>Every combination of the axes' values, the last axis changing fastest.</summary>
    public static IReadOnlyList<Trial> Grid(Trial trial, IReadOnlyList<SweepAxis> axes) =>
        axes.Aggregate((IReadOnlyList<Trial>)[trial], (trials, axis) =>
            [.. from t in trials from value in axis.Grid() select TrialSettings.Set(t, $"{axis.Path}={value}")]);

    /// <summary>So many draws; more of them begin with the same ones, so that a search can be made longer.</summary>
    /// <param name="trial">What is changed.</param>
    /// <param name="axes">What is drawn.</param>
    /// <param name="count">Draws, at least 1; equal ones come once.</param>
    /// <param name="seed">Seed of the draws.</param>
    public static IReadOnlyList<Trial> Random(Trial trial, IReadOnlyList<SweepAxis> axes, int count, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return [.. Enumerable.Range(0, count).Select(i => axes.Aggregate(trial, (t, axis) =>
            TrialSettings.Set(t, $"{axis.Path}={axis.Draw(new CounterRandom(seed, CounterRandom.KeyOf(axis.Path), i))}"))).Distinct()];
    }
}
