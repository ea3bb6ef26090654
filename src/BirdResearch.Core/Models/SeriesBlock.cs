using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Residual block along time: two convolutions (basic) or a 1-k-1 bottleneck. He et al. 2016, Deep Residual Learning.</summary>
sealed class SeriesBlock : nn.Module<Tensor, Tensor>
{
    /// <summary>How many times wider a bottleneck's output is than its middle.</summary>
    public const long Expansion = 4;

    readonly SeriesConvolution conv1;
    readonly BatchNormAct bn1;
    readonly SeriesConvolution conv2;
    readonly BatchNormAct bn2;
    readonly SeriesConvolution? conv3;
    readonly BatchNormAct? bn3;
    readonly Chain? downsample;
    readonly Scalar _one = 1;

    public SeriesBlock(long input, long width, long kernel, long stride, bool bottleneck, double dropPathRate) : base(nameof(SeriesBlock))
    {
        DropPath = new DropPath(dropPathRate);
        var output = bottleneck ? width * Expansion : width;
        conv1 = bottleneck ? new(input, width, 1) : new(input, width, kernel, stride);
        bn1 = new BatchNormAct(width, Activation.Relu);
        conv2 = new SeriesConvolution(width, width, kernel, bottleneck ? stride : 1);
        bn2 = new BatchNormAct(width, bottleneck ? Activation.Relu : Activation.None);
        if (bottleneck)
        {
            conv3 = new SeriesConvolution(width, output, 1);
            bn3 = new BatchNormAct(output, Activation.None);
        }
        if (stride != 1 || input != output)
            downsample = new Chain([new SeriesConvolution(input, output, 1, stride), new BatchNormAct(output, Activation.None)]);
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    /// <summary>What runs beside the shortcut, in order.</summary>
    internal IReadOnlyList<nn.Module> Branch => conv3 is null || bn3 is null ? [conv1, bn1, conv2, bn2] : [conv1, bn1, conv2, bn2, conv3, bn3];

    internal Chain? Shortcut => downsample;

    public override Tensor forward(Tensor x)                                    // (B, in, T)
    {
        using var scope = NewDisposeScope();
        var y = bn1.call(conv1.call(x));
        y = bn2.call(conv2.call(y));                                            // (B, width, T / s)
        if (conv3 is not null && bn3 is not null) y = bn3.call(conv3.call(y));  // (B, out, T / s)
        var shortcut = downsample is null ? x : downsample.call(x);             // (B, out, T / s)
        return DropPath.Apply(y, training).add_(shortcut, _one).relu_().MoveToOuterDisposeScope();
    }
}
