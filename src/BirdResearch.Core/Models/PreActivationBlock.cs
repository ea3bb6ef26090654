using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// A bottleneck whose norms stand before its convolutions: timm's PreActBottleneck. A projecting shortcut reads the activated input, another is the
/// input itself. He et al. 2016, Identity Mappings in Deep Residual Networks.
/// </summary>
sealed class PreActivationBlock : nn.Module<Tensor, Tensor>
{
    readonly ConvolutionShortcut? downsample;
    readonly BatchNormAct norm1;
    readonly Convolution conv1;
    readonly BatchNormAct norm2;
    readonly Convolution conv2;
    readonly BatchNormAct norm3;
    readonly Convolution conv3;
    readonly Scalar _one = 1;

    public PreActivationBlock(long input, long output, long stride, bool projects, double dropPathRate) : base(nameof(PreActivationBlock))
    {
        var middle = RoundedChannels.Of(0.25 * output);
        DropPath = new DropPath(dropPathRate);
        if (projects) downsample = new ConvolutionShortcut(input, output, stride);
        norm1 = new BatchNormAct(input, Activation.Relu, overwrites: false); // the shortcut reads its input too
        conv1 = new Convolution(input, middle);
        norm2 = new BatchNormAct(middle, Activation.Relu);
        conv2 = new Convolution(middle, middle, 3, stride);
        norm3 = new BatchNormAct(middle, Activation.Relu);
        conv3 = new Convolution(middle, output);
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    /// <summary>The norm of what comes in.</summary>
    internal BatchNormAct First => norm1;

    internal ConvolutionShortcut? Shortcut => downsample;

    /// <summary>What follows the first norm beside the shortcut, in order.</summary>
    internal IReadOnlyList<nn.Module> Branch => [conv1, norm2, conv2, norm3, conv3];

    public override Tensor forward(Tensor x)                        // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        var y = norm1.call(x);                                      // (B, in, H, W)
        var shortcut = downsample is null ? x : downsample.call(y); // (B, out, H / s, W / s)
        y = norm2.call(conv1.call(y));                              // (B, middle, H, W)
        y = norm3.call(conv2.call(y));                              // (B, middle, H / s, W / s)
        y = DropPath.Apply(conv3.call(y), training);                // (B, out, H / s, W / s)
        return y.add_(shortcut, _one).MoveToOuterDisposeScope();
    }
}
