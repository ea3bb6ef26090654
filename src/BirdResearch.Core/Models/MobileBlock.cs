namespace BirdResearch.Models;

/// <summary>The numbers of one depthwise-separable or inverted-residual block, shared by EfficientNet and MobileNetV3.</summary>
sealed record MobileBlock
{
    public required long Input { get; init; }
    public required long Output { get; init; }

    /// <summary>Channels of the depthwise convolution.</summary>
    public required long Expanded { get; init; }
    public required long Kernel { get; init; }
    public required long Stride { get; init; }

    /// <summary>Width of the squeezed vector; 0 leaves squeeze-and-excite out.</summary>
    public required long Squeezed { get; init; }
    public required Activation Activation { get; init; }
    public required Activation SqueezeActivation { get; init; }
    public required Activation Gate { get; init; }
    public required Padding Padding { get; init; }
    public required double Epsilon { get; init; }

    /// <summary>Stochastic depth of this block.</summary>
    public double DropPathRate { get; init; }

    public bool HasSkip => Stride == 1 && Input == Output;

    public Convolution Depthwise() => new(Expanded, Expanded, Kernel, Stride, groups: Expanded, padding: Padding);

    public SqueezeExcite? SqueezeExcite() => Squeezed == 0 ? null : new(Expanded, Squeezed, SqueezeActivation, Gate);

    public BatchNormAct Norm(long channels, bool activate = true) => new(channels, activate ? Activation : Activation.None, Epsilon);
}
