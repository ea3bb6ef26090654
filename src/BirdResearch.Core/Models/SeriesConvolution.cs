using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>1-D convolution along time without bias, whose kernel spans all input rows at once; padded to <c>ceil(T / stride)</c> frames.</summary>
sealed class SeriesConvolution : nn.Module<Tensor, Tensor>, IMixedPrecision
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

    /// <inheritdoc/>
    public bool Bfloat16 { get; set; }

    public override Tensor forward(Tensor x) // (B, in, T) -> (B, out, ceil(T / s)), in bfloat16 where products are
    {
        if (!Bfloat16) return nn.functional.conv1d(x, weight, stride: _stride, padding: _padding);
        using var scope = NewDisposeScope();
        return nn.functional.conv1d(x.to(ScalarType.BFloat16), weight.to(ScalarType.BFloat16), stride: _stride, padding: _padding).MoveToOuterDisposeScope();
    }
}
