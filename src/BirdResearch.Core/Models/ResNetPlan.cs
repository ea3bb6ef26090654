namespace BirdResearch.Models;

/// <summary>The numbers of one ResNet.</summary>
/// <param name="Depths">Blocks of each of the four stages.</param>
/// <param name="Widths">Channels of each stage; a bottleneck gives four times as many. The stem has those of the first.</param>
sealed record ResNetPlan(int[] Depths, long[] Widths)
{
    /// <summary>Three convolutions a block, 1 x 1, 3 x 3 and 1 x 1, instead of two of 3 x 3.</summary>
    public bool Bottleneck { get; init; }

    /// <summary>Groups of channels that a bottleneck's 3 x 3 convolution does not mix. Xie et al. 2017, ResNeXt.</summary>
    public long Groups { get; init; } = 1;

    /// <summary>Channels of one group where the stage's width is 64.</summary>
    public long GroupWidth { get; init; } = 64;

    /// <summary>Whether bottlenecks squeeze and excite. Hu et al. 2018, Squeeze-and-Excitation Networks.</summary>
    public bool Squeezes { get; init; }

    /// <summary>Channels that a block of that stage gives.</summary>
    public long Output(int stage) => Bottleneck ? 4 * Widths[stage] : Widths[stage];

    /// <summary>Channels of a bottleneck's 3 x 3 convolution.</summary>
    public long Middle(int stage) => Widths[stage] * GroupWidth / 64 * Groups;
}
