using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Two 3 x 3 convolutions beside a shortcut: timm's BasicBlock, whose last norm starts at zero so that each block begins as its shortcut.</summary>
sealed class ResNetBlock : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv1;
    readonly BatchNormAct bn1;
    readonly Convolution conv2;
    readonly BatchNormAct bn2;
    readonly Chain? downsample;
    readonly Scalar _one = 1;

    public ResNetBlock(long input, long output, long stride, double dropPathRate) : base(nameof(ResNetBlock))
    {
        DropPath = new DropPath(dropPathRate);
        conv1 = new Convolution(input, output, 3, stride);
        bn1 = new BatchNormAct(output, Activation.Relu);
        conv2 = new Convolution(output, output, 3);
        bn2 = new BatchNormAct(output, Activation.None);
        nn.init.zeros_(bn2.named_parameters().Single(p => p.name == "weight").parameter);
        if (stride != 1 || input != output)
            downsample = new Chain([new Convolution(input, output, 1, stride), new BatchNormAct(output, Activation.None)]);
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    /// <summary>What runs beside the shortcut, in order.</summary>
    internal IReadOnlyList<nn.Module> Branch => [conv1, bn1, conv2, bn2];

    internal Chain? Shortcut => downsample;

    public override Tensor forward(Tensor x)                        // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        var y = bn1.call(conv1.call(x));                            // (B, out, H / s, W / s)
        y = DropPath.Apply(bn2.call(conv2.call(y)), training);
        var shortcut = downsample is null ? x : downsample.call(x); // (B, out, H / s, W / s)
        return y.add_(shortcut, _one).relu_().MoveToOuterDisposeScope();
    }
}
