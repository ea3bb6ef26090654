using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Mean over 2 x 2, at the edges over what is there, and a pointwise convolution beside a block: timm's DownsampleAvg.</summary>
sealed class PooledShortcut : nn.Module<Tensor, Tensor>
{
    readonly ScaledConvolution conv;
    readonly bool _pools;

    public PooledShortcut(long input, long output, long stride, double inputScale) : base(nameof(PooledShortcut))
    {
        _pools = stride > 1;
        conv = new ScaledConvolution(input, output, inputScale: inputScale);
        RegisterComponents();
    }

    internal ScaledConvolution Convolution => conv;

    internal bool Pools => _pools;

    public override Tensor forward(Tensor x)                                    // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        return conv.call(_pools ? Pool(x) : x).MoveToOuterDisposeScope();       // (B, out, ceil(H / s), ceil(W / s))
    }

    /// <summary>(B, C, H, W) to (B, C, ceil(H / 2), ceil(W / 2)).</summary>
    internal static Tensor Pool(Tensor x) => nn.functional.avg_pool2d(x, [2, 2], [2, 2], ceil_mode: true, count_include_pad: false);
}
