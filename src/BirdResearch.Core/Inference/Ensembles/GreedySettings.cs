namespace BirdResearch.Inference;

/// <summary>How greedy selection goes.</summary>
public sealed record GreedySettings
{
    /// <summary>Most members that are drawn; one may be drawn again, which raises its weight.</summary>
    public int Draws { get; init; } = 25;

    /// <summary>Selections among random parts of the members, whose weights are averaged; 0 makes one selection among all.</summary>
    public int Bags { get; init; }

    /// <summary>Share of the members in a bag, at least one.</summary>
    public double BagShare { get; init; } = 0.5;

    /// <summary>Seed of the bags.</summary>
    public int Seed { get; init; } = 1;
}
