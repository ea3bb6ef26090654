namespace BirdResearch.Models;

/// <summary>The numbers of one stage of MobileNetV3 at width 1.</summary>
/// <param name="Kernel">Rows and frames of the depthwise convolutions.</param>
/// <param name="Stride">Stride of the first block.</param>
/// <param name="Expansions">For every block, how many times as wide as its input it is inside; 1 leaves the expansion out.</param>
/// <param name="Output">Channels that every block gives.</param>
/// <param name="Activation">The nonlinearity.</param>
/// <param name="Squeezes">Whether the blocks squeeze and excite.</param>
sealed record MobileStage(long Kernel, long Stride, double[] Expansions, long Output, Activation Activation, bool Squeezes);
