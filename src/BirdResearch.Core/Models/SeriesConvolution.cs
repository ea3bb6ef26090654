using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>1-D convolution along time without bias, whose kernel spans all input rows at once; padded to <c>ceil(T / stride)</c> frames.</summary>
sealed class SeriesConvolution : nn.Module<Tensor, Tensor>, IMixedPrecision
{
    readonly Parameter weight; // (out, in, k)
    readonly long _stride, _padding;
    readonly bool _mayBeSparse;

    /// <param name="input">Rows that come in.</param>
    /// <param name="output">Rows that go out.</param>
    /// <param name="kernel">Frames that it spans.</param>
    /// <param name="stride">Frames between two results.</param>
    /// <param name="mayBeSparse">Whether it is worth looking if few of the input's cells are not zero, as in a sparse code.</param>
    public SeriesConvolution(long input, long output, long kernel, long stride = 1, bool mayBeSparse = false) : base(nameof(SeriesConvolution))
    {
        _mayBeSparse = mayBeSparse;
        (_stride, _padding) = (stride, (kernel - 1) / 2);
        weight = nn.Parameter(empty(output, input, kernel));
        nn.init.normal_(weight, 0, Math.Sqrt(2.0 / (kernel * output))); // He et al. 2015, fan_out, for ReLU
        RegisterComponents();
    }

    /// <inheritdoc/>
    public bool Bfloat16 { get; set; }

    internal Parameter Weight => weight;

    internal long Stride => _stride;

    internal long Padding => _padding;

    public override Tensor forward(Tensor x) // (B, in, T) -> (B, out, ceil(T / s)), in bfloat16 where products are
    {
        using var scope = NewDisposeScope();
        if (_mayBeSparse && SparseConvolution.Try(x, weight, _stride, _padding) is { } sums)
            return (Bfloat16 ? sums.to(ScalarType.BFloat16) : sums).MoveToOuterDisposeScope();
        if (!Bfloat16) return nn.functional.conv1d(x, weight, stride: _stride, padding: _padding).MoveToOuterDisposeScope();
        return nn.functional.conv1d(x.to(ScalarType.BFloat16), weight.to(ScalarType.BFloat16), stride: _stride, padding: _padding).MoveToOuterDisposeScope();
    }
}
