namespace BirdResearch.Models;

/// <summary>The numbers of one normaliser-free network with efficient channel attention.</summary>
/// <param name="Depths">Blocks of each stage.</param>
/// <param name="Final">Channels of the last convolution.</param>
sealed record NfPlan(int[] Depths, long Final)
{
    /// <summary>Channels after the stem.</summary>
    public long Stem { get; init; } = 128;

    /// <summary>Channels after each stage.</summary>
    public long[] Widths { get; init; } = [256, 512, 1536, 1536];

    /// <summary>Channels of one group inside a block, whose 3 x 3 convolutions have a quarter of the stage's channels.</summary>
    public long GroupWidth { get; init; } = 64;
}
