using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Four 3 x 3 convolutions, the first and the last of stride 2, with SiLU between them and none behind: timm's <c>deep_quad</c>.</summary>
sealed class NfStem : nn.Module<Tensor, Tensor>
{
    readonly ScaledConvolution conv1;
    readonly ScaledConvolution conv2;
    readonly ScaledConvolution conv3;
    readonly ScaledConvolution conv4;

    public NfStem(long input, long output) : base(nameof(NfStem))
    {
        conv1 = new ScaledConvolution(input, output / 8, 3, 2);
        conv2 = new ScaledConvolution(output / 8, output / 4, 3);
        conv3 = new ScaledConvolution(output / 4, output / 2, 3);
        conv4 = new ScaledConvolution(output / 2, output, 3, 2);
        RegisterComponents();
    }

    internal IReadOnlyList<ScaledConvolution> Convolutions => [conv1, conv2, conv3, conv4];

    public override Tensor forward(Tensor x)                                            // (B, channels, H, W)
    {
        using var scope = NewDisposeScope();
        x = conv2.call(Activation.Silu.Consume(conv1.call(x)));                         // (B, out / 4, H / 2, W / 2)
        x = conv3.call(Activation.Silu.Consume(x));
        return conv4.call(Activation.Silu.Consume(x)).MoveToOuterDisposeScope();        // (B, out, H / 4, W / 4)
    }
}
