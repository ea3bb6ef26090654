using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A pointwise convolution, a norm and an activation as one block: the last stage of MobileNetV3.</summary>
sealed class ConvolutionNorm : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv;
    readonly BatchNormAct bn1;

    public ConvolutionNorm(long input, long output, Activation activation) : base(nameof(ConvolutionNorm))
    {
        conv = new Convolution(input, output);
        bn1 = new BatchNormAct(output, activation);
        RegisterComponents();
    }

    internal IReadOnlyList<nn.Module> Links => [conv, bn1];

    public override Tensor forward(Tensor x)                        // (B, in, H, W)
    {
        using var scope = NewDisposeScope();
        return bn1.call(conv.call(x)).MoveToOuterDisposeScope();    // (B, out, H, W)
    }
}
