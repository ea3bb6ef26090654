using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// A bottleneck without norms, timm's NormFreeBlock: <c>x + 0.2 (2 attention(branch(beta SiLU(x))))</c>, where beta takes the deviation that is
/// expected at this depth back to 1. A projecting shortcut reads what the branch reads. The branch's last gain begins at 0.
/// </summary>
sealed class NfBlock : nn.Module<Tensor, Tensor>
{
    /// <summary>What of the branch is added.</summary>
    public const double Alpha = 0.2;

    const double AttentionGain = 2;

    readonly PooledShortcut? downsample;
    readonly ScaledConvolution conv1;
    readonly ScaledConvolution conv2;
    readonly ScaledConvolution conv2b;
    readonly ScaledConvolution conv3;
    readonly EfficientAttention attn_last;
    readonly Scalar _share = Share;

    /// <param name="input">Channels that come in.</param>
    /// <param name="output">Channels that go out.</param>
    /// <param name="groupWidth">Channels of one group of the 3 x 3 convolutions.</param>
    /// <param name="stride">Stride of the first of them.</param>
    /// <param name="projects">Whether the shortcut is a convolution.</param>
    /// <param name="beta">1 over the expected deviation of the input.</param>
    /// <param name="dropPathRate">Chance that the branch is left out in training.</param>
    public NfBlock(long input, long output, long groupWidth, long stride, bool projects, double beta, double dropPathRate) : base(nameof(NfBlock))
    {
        var groups = output / 4 / groupWidth;
        var middle = groups * groupWidth;
        (DropPath, Beta) = (new DropPath(dropPathRate), beta);
        if (projects) downsample = new PooledShortcut(input, output, stride, beta);
        conv1 = new ScaledConvolution(input, middle, inputScale: beta);
        conv2 = new ScaledConvolution(middle, middle, 3, stride, groups);
        conv2b = new ScaledConvolution(middle, middle, 3, 1, groups);
        conv3 = new ScaledConvolution(middle, output, gain: 0);
        attn_last = new EfficientAttention(output);
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    /// <summary>1 over the expected deviation of the input.</summary>
    public double Beta { get; }

    /// <summary>What of the attended branch is added.</summary>
    internal const double Share = Alpha * AttentionGain;

    internal PooledShortcut? Shortcut => downsample;

    internal EfficientAttention Attention => attn_last;

    internal IReadOnlyList<ScaledConvolution> Convolutions => [conv1, conv2, conv2b, conv3];

    public override Tensor forward(Tensor x)                        // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        var y = x.silu();                                           // (B, in, H, W); beta is in the kernels that read it
        var shortcut = downsample is null ? x : downsample.call(y); // (B, out, H / s, W / s)
        y = conv1.call(y);                                          // (B, middle, H, W)
        y = conv2.call(Activation.Silu.Consume(y));                 // (B, middle, H / s, W / s)
        y = conv2b.call(Activation.Silu.Consume(y));
        y = conv3.call(Activation.Silu.Consume(y));                 // (B, out, H / s, W / s)
        y = DropPath.Apply(attn_last.call(y), training);
        return shortcut.add(y, _share).MoveToOuterDisposeScope();
    }
}
