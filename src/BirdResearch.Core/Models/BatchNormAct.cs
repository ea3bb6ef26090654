using BirdResearch.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Batch normalisation over the channel axis (1-D or 2-D alike) followed by an activation, as one module: timm's BatchNormAct. Where no gradient is
/// kept it may overwrite its input, as behind a convolution, whose result nobody else reads.
/// </summary>
sealed class BatchNormAct : nn.Module<Tensor, Tensor>
{
    readonly Parameter weight;           // (C)
    readonly Parameter bias;             // (C)
    readonly Tensor running_mean;        // (C)
    readonly Tensor running_var;         // (C)
    readonly Tensor num_batches_tracked; // ()
    readonly Activation _activation;
    readonly double _epsilon, _momentum;
    readonly bool _overwrites;
    readonly Scalar _one = 1;

    public BatchNormAct(long channels, Activation activation, double epsilon = 1e-5, double momentum = 0.1, bool overwrites = true)
        : base(nameof(BatchNormAct))
    {
        (_activation, _epsilon, _momentum, _overwrites) = (activation, epsilon, momentum, overwrites);
        weight = nn.Parameter(ones(channels));
        bias = nn.Parameter(zeros(channels));
        running_mean = zeros(channels).DetachFromDisposeScope();
        running_var = ones(channels).DetachFromDisposeScope();
        num_batches_tracked = zeros([], ScalarType.Int64).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>What follows the norm.</summary>
    internal Activation Activation => _activation;

    /// <summary>What it does in evaluation mode: x scale + shift, each (C) in float64.</summary>
    internal (Tensor Scale, Tensor Shift) Affine()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var scale = weight.to(ScalarType.Float64) * running_var.to(ScalarType.Float64).Plus(_epsilon).rsqrt();
        var shift = bias.to(ScalarType.Float64).Plus(running_mean.to(ScalarType.Float64).neg() * scale);
        return (scale.MoveToOuterDisposeScope(), shift.MoveToOuterDisposeScope());
    }

    public override Tensor forward(Tensor x) // (B, C, ...)
    {
        var training = this.training;
        if (training) num_batches_tracked.add_(_one, _one);
        var (fused, rest) = _activation switch
        {
            Activation.Relu => (NormActivation.Relu, Activation.None),
            Activation.Silu => (NormActivation.Silu, Activation.None),
            Activation.Hardswish => (NormActivation.Hardswish, Activation.None),
            _ => (NormActivation.None, _activation),
        };
        if (FusedBatchNorm.Apply(x, running_mean, running_var, weight, bias, training, _momentum, _epsilon, fused, _overwrites) is { } done)
            return rest.Consume(done);
        var normal = nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training, _momentum, _epsilon);
        return _activation.Consume(normal);
    }
}
