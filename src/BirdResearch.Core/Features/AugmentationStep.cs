using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Where in a training an augmentation draws its numbers: they depend on this and the row alone, so a resumed training draws the same.
/// </summary>
/// <param name="Seed">The trial's seed.</param>
/// <param name="Epoch">Epoch, from 0.</param>
/// <param name="Step">Step within the epoch, from 0.</param>
public readonly record struct AugmentationStep(long Seed, int Epoch, int Step)
{
    /// <summary>The random numbers of one row of the batch in one transform.</summary>
    internal CounterRandom RandomOf(string transform, int row) => new(Seed, CounterRandom.KeyOf(transform), Epoch, Step, row);
}
