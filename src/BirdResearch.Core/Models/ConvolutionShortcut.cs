using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A pointwise convolution with a stride beside a block: timm's DownsampleConv without norm.</summary>
sealed class ConvolutionShortcut : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv;

    public ConvolutionShortcut(long input, long output, long stride) : base(nameof(ConvolutionShortcut))
    {
        conv = new Convolution(input, output, 1, stride);
        RegisterComponents();
    }

    internal Convolution Convolution => conv;

    public override Tensor forward(Tensor x) => conv.call(x); // (B, in, H, W) -> (B, out, H / s, W / s)
}
