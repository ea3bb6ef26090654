namespace BirdResearch.Training;

/// <summary>What of a training's budget is spent. For every currency but seconds all is known beforehand, so that a training is the same on every machine.</summary>
/// <param name="Budget">The budget.</param>
/// <param name="SamplesPerEpoch">Training clips of a whole epoch.</param>
/// <param name="MultiplyAddsPerClip">Multiply-adds that one clip is charged; only asked for by that currency.</param>
readonly record struct BudgetMeter(Budget Budget, int SamplesPerEpoch, double MultiplyAddsPerClip)
{
    bool IsTimed => Budget.Unit == BudgetUnit.Seconds;

    /// <summary>Clips in all; null where time decides.</summary>
    public long? Clips
    {
        get
        {
            if (IsTimed) return null;
            var clips = Budget.Unit switch
            {
                BudgetUnit.Epochs => (long)Budget.Amount * SamplesPerEpoch,
                BudgetUnit.Clips => (long)Budget.Amount,
                _ => (long)Math.Min(long.MaxValue / 2, Budget.Amount / MultiplyAddsPerClip),
            };
            // Batch norm cannot learn from a single clip: one that would be left over is not spent.
            return clips % SamplesPerEpoch == 1 ? clips - 1 : clips;
        }
    }

    /// <summary>Clips of the epoch that begins after so many were trained on: a whole epoch, or what is left.</summary>
    public int ClipsOfEpoch(long clipsBefore) => Clips is { } all ? (int)Math.Min(SamplesPerEpoch, all - clipsBefore) : SamplesPerEpoch;

    /// <summary>Share of the budget that is spent, from 0 to 1.</summary>
    public double Share(long clips, double seconds) => Math.Min(1, Clips is { } all ? (double)clips / all : seconds / Budget.Amount);

    /// <summary>Share of the budget that the finished epochs spent.</summary>
    public double Share(IReadOnlyList<EpochRow> rows) => Share(rows.Sum(r => r.Clips), rows.Sum(r => r.Seconds));

    /// <summary>Whether nothing is left.</summary>
    public bool IsSpent(IReadOnlyList<EpochRow> rows) => Share(rows) >= 1;

    /// <summary>Optimiser steps in all; null where time decides.</summary>
    public long? Steps(int batchSize, int accumulate)
    {
        if (Clips is not { } all) return null;
        var (epochs, left) = Math.DivRem(all, SamplesPerEpoch);
        return (epochs * StepsOf(SamplesPerEpoch)) + (left > 0 ? StepsOf((int)left) : 0);

        long StepsOf(int clips) => (Data.ClipBatches.PerEpoch(clips, batchSize) + accumulate - 1) / accumulate;
    }

    /// <summary>Epochs that it will take in all, the last of which may be cut; an estimate where time decides.</summary>
    public int Epochs(IReadOnlyList<EpochRow> rows) => Clips is { } all
        ? (int)Math.Min(int.MaxValue, (all + SamplesPerEpoch - 1) / SamplesPerEpoch)
        : Share(rows) is > 0 and < 1 and var share ? Math.Max(rows.Count + 1, (int)Math.Min(1e9, Math.Ceiling(rows.Count / share))) : Math.Max(1, rows.Count);

    /// <summary>
    /// Whether the weights are scored after an epoch: after every so many epochs, or, where that is 0, whenever another twentieth of the budget is
    /// spent; and always when it is spent.
    /// </summary>
    public bool EvaluatesAfter(int epoch, double before, double after, int every) =>
        after >= 1 || (every > 0 ? epoch % every == 0 : Math.Floor(20 * after + 1e-9) > Math.Floor(20 * before + 1e-9));
}
