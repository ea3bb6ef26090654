using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Depthwise convolution, squeeze-and-excite, pointwise convolution, with a skip where shapes allow.</summary>
sealed class DepthwiseSeparable : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv_dw;
    readonly BatchNormAct bn1;
    readonly nn.Module<Tensor, Tensor> se; // passes on where there is none, as timm's does
    readonly Convolution conv_pw;
    readonly BatchNormAct bn2;
    readonly MobileBlock _block;
    readonly Scalar _one = 1;

    public DepthwiseSeparable(MobileBlock block) : base(nameof(DepthwiseSeparable))
    {
        (_block, DropPath) = (block, new DropPath(block.DropPathRate));
        conv_dw = block.Depthwise();
        bn1 = block.Norm(block.Expanded);
        se = (nn.Module<Tensor, Tensor>?)block.SqueezeExcite() ?? nn.Identity();
        conv_pw = new Convolution(block.Expanded, block.Output);
        bn2 = block.Norm(block.Output, activate: false);
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    internal bool HasSkip => _block.HasSkip;

    /// <summary>What runs beside the skip, in order.</summary>
    internal IReadOnlyList<nn.Module> Branch => se is not SqueezeExcite ? [conv_dw, bn1, conv_pw, bn2] : [conv_dw, bn1, se, conv_pw, bn2];

    public override Tensor forward(Tensor x)                    // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        var y = bn1.call(conv_dw.call(x));                      // (B, in, H / s, W / s)
        y = se.call(y);
        y = bn2.call(conv_pw.call(y));                          // (B, out, H / s, W / s)
        if (_block.HasSkip) y = DropPath.Apply(y, training).add_(x, _one);
        return y.MoveToOuterDisposeScope();
    }
}
