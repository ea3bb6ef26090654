using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>1-D convolution along time without bias, whose kernel spans all input rows at once; padded to <c>ceil(T / stride)</c> frames.</summary>
sealed class SeriesConvolution : nn.Module<Tensor, Tensor>
{
    readonly Parameter weight; // (out, in, k)
    readonly long _stride, _padding;

    public SeriesConvolution(long input, long output, long kernel, long stride = 1) : base(nameof(SeriesConvolution))
    {
        (_stride, _padding) = (stride, (kernel - 1) / 2);
        weight = nn.Parameter(empty(output, input, kernel));
        nn.init.normal_(weight, 0, Math.Sqrt(2.0 / (kernel * output))); // He et al. 2015, fan_out, for ReLU
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => // (B, in, T) -> (B, out, ceil(T / s))
        nn.functional.conv1d(x, weight, stride: _stride, padding: _padding);
}
