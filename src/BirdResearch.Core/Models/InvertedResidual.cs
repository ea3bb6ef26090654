using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Pointwise expansion, depthwise convolution, squeeze-and-excite, pointwise projection, with a skip where shapes allow.
/// Sandler et al. 2018, MobileNetV2.
/// </summary>
sealed class InvertedResidual : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv_pw;
    readonly BatchNormAct bn1;
    readonly Convolution conv_dw;
    readonly BatchNormAct bn2;
    readonly nn.Module<Tensor, Tensor> se; // passes on where there is none, as timm's does
    readonly Convolution conv_pwl;
    readonly BatchNormAct bn3;
    readonly MobileBlock _block;
    readonly Scalar _one = 1;

    public InvertedResidual(MobileBlock block) : base(nameof(InvertedResidual))
    {
        (_block, DropPath) = (block, new DropPath(block.DropPathRate));
        conv_pw = new Convolution(block.Input, block.Expanded);
        bn1 = block.Norm(block.Expanded);
        conv_dw = block.Depthwise();
        bn2 = block.Norm(block.Expanded);
        se = (nn.Module<Tensor, Tensor>?)block.SqueezeExcite() ?? nn.Identity();
        conv_pwl = new Convolution(block.Expanded, block.Output);
        bn3 = block.Norm(block.Output, activate: false);
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    internal bool HasSkip => _block.HasSkip;

    /// <summary>What runs beside the skip, in order.</summary>
    internal IReadOnlyList<nn.Module> Branch =>
        se is not SqueezeExcite ? [conv_pw, bn1, conv_dw, bn2, conv_pwl, bn3] : [conv_pw, bn1, conv_dw, bn2, se, conv_pwl, bn3];

    public override Tensor forward(Tensor x)                    // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        var y = bn1.call(conv_pw.call(x));                      // (B, expanded, H, W)
        y = bn2.call(conv_dw.call(y));                          // (B, expanded, H / s, W / s)
        y = se.call(y);
        y = bn3.call(conv_pwl.call(y));                         // (B, out, H / s, W / s)
        if (_block.HasSkip) y = DropPath.Apply(y, training).add_(x, _one);
        return y.MoveToOuterDisposeScope();
    }
}
