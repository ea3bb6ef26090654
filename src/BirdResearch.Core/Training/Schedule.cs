namespace BirdResearch.Training;

/// <summary>Linear warm-up, then half a cosine down to zero (Loshchilov and Hutter 2017, without restarts).</summary>
/// <param name="Peak">Highest learning rate.</param>
/// <param name="Steps">Optimiser steps in all.</param>
/// <param name="WarmupShare">Share of the steps spent rising, in [0, 1).</param>
public readonly record struct Schedule(double Peak, long Steps, double WarmupShare)
{
    /// <summary>Learning rate when that share of a budget, from 0 to 1, is spent; for budgets whose steps are not known beforehand.</summary>
    public static double AtShare(double peak, double share, double warmupShare) =>
        share < warmupShare
            ? peak * share / warmupShare
            : peak * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, (share - warmupShare) / (1 - warmupShare))));

    /// <summary>Learning rate of the step with that index, counted from 0.</summary>
    public double At(long step)
    {
        var warmup = Math.Floor(Steps * WarmupShare);
        if (step < warmup) return Peak * (step + 1) / (warmup + 1);
        var progress = Steps > warmup ? (step - warmup) / (Steps - warmup) : 1;
        return Peak * 0.5 * (1 + Math.Cos(Math.PI * Math.Min(1, progress)));
    }
}
