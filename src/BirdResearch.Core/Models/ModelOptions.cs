namespace BirdResearch.Models;

/// <summary>What a model of the catalogue leaves open.</summary>
public sealed record ModelOptions
{
    /// <summary>Probability that an element of the pooled vector is dropped in training, in [0, 1).</summary>
    public double DropRate { get; init; }

    /// <summary>Probability, per sample, that the last residual branch is dropped in training, in [0, 1); earlier blocks drop less often.</summary>
    public double DropPathRate { get; init; }

    /// <summary>Whether image models keep their channels side by side in memory, which is the faster order for all that have been measured.</summary>
    public bool ChannelsLast { get; init; } = true;

    /// <summary>Seeds torch before the weights are drawn; null draws from torch's current state.</summary>
    public int? Seed { get; init; }
}
