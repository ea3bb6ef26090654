using BirdResearch.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// 2-D convolution whose kernels are standardised and scaled so that it keeps the variance of what SiLU gives: for every output channel
/// <c>W' = gain scale / sqrt(fan_in) (W - mean) / sqrt(variance + 1e-5)</c>. Brock et al. 2021, Characterizing Signal Propagation to Close the
/// Performance Gap in Unnormalized ResNets; timm's ScaledStdConv2d. Gradients pass through mean and variance.
/// </summary>
sealed class ScaledConvolution : nn.Module<Tensor, Tensor>, IMixedPrecision
{
    const double Epsilon = 1e-5;

    /// <summary>1 over the deviation of SiLU of a standard normal variable.</summary>
    const double SiluGain = 1.7881293296813965;

    readonly Parameter weight; // (out, in / groups, k, k)
    readonly Parameter bias;   // (out)
    readonly Parameter gain;   // (out, 1, 1, 1)
    readonly long _groups;
    readonly long[] _stride, _padding, _row;
    readonly Scalar _scale;

    /// <param name="input">Channels that come in.</param>
    /// <param name="output">Channels that go out.</param>
    /// <param name="kernel">Rows and frames that it spans, odd.</param>
    /// <param name="stride">Rows and frames between two results.</param>
    /// <param name="groups">Groups of channels that do not mix.</param>
    /// <param name="inputScale">What the input is to be multiplied by; the kernels take it on.</param>
    /// <param name="gain">What the gain begins with.</param>
    public ScaledConvolution(long input, long output, long kernel = 1, long stride = 1, long groups = 1, double inputScale = 1, double gain = 1)
        : base(nameof(ScaledConvolution))
    {
        var fanIn = input / groups * kernel * kernel;
        (_groups, _stride, _padding, _row) = (groups, [stride, stride], [(kernel - 1) / 2, (kernel - 1) / 2], [fanIn]);
        _scale = SiluGain / Math.Sqrt(fanIn) * inputScale;
        weight = nn.Parameter(empty(output, input / groups, kernel, kernel));
        bias = nn.Parameter(zeros(output));
        this.gain = nn.Parameter(full([output, 1, 1, 1], KeptScalar.Of(gain)));
        nn.init.normal_(weight, 0, 1 / Math.Sqrt(fanIn)); // Kaiming, fan_in, linear
        RegisterComponents();
    }

    /// <inheritdoc/>
    public bool Bfloat16 { get; set; }

    internal Parameter Bias => bias;

    internal long Stride => _stride[0];

    internal long Padding => _padding[0];

    internal long Groups => _groups;

    public override Tensor forward(Tensor x) // (B, in, H, W) -> (B, out, H / s, W / s), in bfloat16 where products are
    {
        using var scope = NewDisposeScope();
        var kernels = Standardised();
        return Bfloat16
            ? Convolve(x.to(ScalarType.BFloat16), kernels.to(ScalarType.BFloat16), bias.to(ScalarType.BFloat16)).MoveToOuterDisposeScope()
            : Convolve(x, kernels, bias).MoveToOuterDisposeScope();
    }

    /// <summary>The kernels that the input is convolved with, (out, in / groups, k, k), reckoned in a given precision or the weights' own.</summary>
    internal Tensor Standardised(ScalarType? precision = null)
    {
        using var scope = NewDisposeScope();
        var type = precision ?? weight.dtype;
        var rows = nn.functional.layer_norm(weight.to(type).flatten(1), _row, null, null, Epsilon);  // (out, fan_in)
        return (rows * gain.to(type).flatten(1).mul(_scale)).view_as(weight).MoveToOuterDisposeScope();
    }

    Tensor Convolve(Tensor x, Tensor kernels, Tensor bias) => nn.functional.conv2d(x, kernels, bias, _stride, _padding, null, _groups);
}
