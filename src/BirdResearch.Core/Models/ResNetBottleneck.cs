using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// A 1 x 1, a 3 x 3 and a 1 x 1 convolution beside a shortcut, the middle one in groups and with the stride: timm's Bottleneck. Its last norm starts at
/// zero so that each block begins as its shortcut.
/// </summary>
sealed class ResNetBottleneck : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv1;
    readonly BatchNormAct bn1;
    readonly Convolution conv2;
    readonly BatchNormAct bn2;
    readonly Convolution conv3;
    readonly BatchNormAct bn3;
    readonly SqueezeExcite? se;
    readonly Chain? downsample;
    readonly Scalar _one = 1;

    public ResNetBottleneck(long input, long middle, long output, long stride, long groups, bool squeezes, double dropPathRate)
        : base(nameof(ResNetBottleneck))
    {
        DropPath = new DropPath(dropPathRate);
        conv1 = new Convolution(input, middle);
        bn1 = new BatchNormAct(middle, Activation.Relu);
        conv2 = new Convolution(middle, middle, 3, stride, groups, fanOutOfGroup: false);
        bn2 = new BatchNormAct(middle, Activation.Relu);
        conv3 = new Convolution(middle, output);
        bn3 = new BatchNormAct(output, Activation.None);
        nn.init.zeros_(bn3.named_parameters().Single(p => p.name == "weight").parameter);
        if (squeezes) se = new SqueezeExcite(output, RoundedChannels.Of(output / 16.0, limit: 0), Activation.Relu, Activation.Sigmoid, "fc1", "fc2");
        if (stride != 1 || input != output)
            downsample = new Chain([new Convolution(input, output, 1, stride), new BatchNormAct(output, Activation.None)]);
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    /// <summary>What runs beside the shortcut, in order.</summary>
    internal IReadOnlyList<nn.Module> Branch => [conv1, bn1, conv2, bn2, conv3, bn3, .. se is null ? Array.Empty<nn.Module>() : [se]];

    internal Chain? Shortcut => downsample;

    public override Tensor forward(Tensor x)                        // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        var y = bn1.call(conv1.call(x));                            // (B, middle, H, W)
        y = bn2.call(conv2.call(y));                                // (B, middle, H / s, W / s)
        y = bn3.call(conv3.call(y));                                // (B, out, H / s, W / s)
        if (se is not null) y = se.call(y);
        y = DropPath.Apply(y, training);
        var shortcut = downsample is null ? x : downsample.call(x); // (B, out, H / s, W / s)
        return y.add_(shortcut, _one).relu_().MoveToOuterDisposeScope();
    }
}
