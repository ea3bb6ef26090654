using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BirdResearch.Models;

/// <summary>
/// 2-D convolution with a square kernel, in timm's naming; SAME padding is found from the input size at run time. In bfloat16 what it gives stays
/// so, for the norm that follows.
/// </summary>
sealed class Convolution : nn.Module<Tensor, Tensor>, IMixedPrecision
{
    readonly Parameter weight; // (out, in / groups, k, k)
    readonly Parameter? bias;  // (out)
    readonly long _kernel, _groups;
    readonly Padding _padding;
    readonly long[] _stride, _symmetric;

    /// <param name="input">Channels that come in.</param>
    /// <param name="output">Channels that go out.</param>
    /// <param name="kernel">Rows and frames that it spans.</param>
    /// <param name="stride">Rows and frames between two results.</param>
    /// <param name="groups">Groups of channels that do not mix.</param>
    /// <param name="bias">Whether a bias is added.</param>
    /// <param name="padding">How the input is padded.</param>
    /// <param name="fanOutOfGroup">Whether fresh weights are drawn for the outputs of one group, as in EfficientNet, or of all groups, as in torch.</param>
    public Convolution(long input, long output, long kernel = 1, long stride = 1, long groups = 1, bool bias = false,
        Padding padding = Padding.Symmetric, bool fanOutOfGroup = true) : base(nameof(Convolution))
    {
        (_kernel, _groups, _padding) = (kernel, groups, padding);
        (_stride, _symmetric) = ([stride, stride], [(kernel - 1) / 2, (kernel - 1) / 2]);
        weight = nn.Parameter(empty(output, input / groups, kernel, kernel));
        if (bias) this.bias = nn.Parameter(zeros(output));
        Reset(weight, fanOutOfGroup ? groups : 1);
        RegisterComponents();
    }

    /// <summary>Normal with variance 2 / fan_out, fan_out = kernel area x outputs / groups.</summary>
    static void Reset(Parameter weight, long groups)
    {
        var fanOut = weight.shape[0] * weight.shape.Skip(2).Aggregate(1L, (a, b) => a * b) / groups;
        nn.init.normal_(weight, 0, Math.Sqrt(2.0 / fanOut));
    }

    /// <inheritdoc/>
    public bool Bfloat16 { get; set; }

    internal Parameter Weight => weight;

    internal Parameter? Bias => bias;

    internal long Stride => _stride[0];

    internal long Groups => _groups;

    /// <summary>Zeros before and after an axis of that size.</summary>
    internal (long Before, long After) PaddingOf(long size) => IsSymmetric ? (_symmetric[0], _symmetric[0]) : SamePadding(size);

    // SAME at stride 1 with an odd kernel is symmetric.
    bool IsSymmetric => _padding == Padding.Symmetric || _stride[0] == 1;

    public override Tensor forward(Tensor x) // (B, in, H, W)
    {
        if (!Bfloat16) return Convolve(x, weight, bias);
        using var scope = NewDisposeScope();
        return Convolve(x.to(ScalarType.BFloat16), weight.to(ScalarType.BFloat16), bias?.to(ScalarType.BFloat16)).MoveToOuterDisposeScope();
    }

    Tensor Convolve(Tensor x, Tensor weight, Tensor? bias)
    {
        if (IsSymmetric) return conv2d(x, weight, bias, _stride, _symmetric, null, _groups);

        var (top, bottom) = SamePadding(x.shape[2]);
        var (left, right) = SamePadding(x.shape[3]);
        if (top == bottom && left == right) return conv2d(x, weight, bias, _stride, [top, left], null, _groups);
        using var padded = pad(x, (left, right, top, bottom));
        return conv2d(padded, weight, bias, _stride, null, null, _groups); // (B, out, ceil(H / s), ceil(W / s))
    }

    (long Before, long After) SamePadding(long size)
    {
        var stride = _stride[0];
        var total = Math.Max((size + stride - 1) / stride * stride - stride + _kernel - size, 0);
        return (total / 2, total - total / 2);
    }
}
