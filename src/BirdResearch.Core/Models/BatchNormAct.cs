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
    readonly bool _overwrites;
    readonly Scalar _one = 1;

    public BatchNormAct(long channels, Activation activation, double epsilon = 1e-5, double momentum = 0.1, bool overwrites = true)
        : base(nameof(BatchNormAct))
    {
        (_activation, Epsilon, Momentum, _overwrites) = (activation, epsilon, momentum, overwrites);
        weight = nn.Parameter(ones(channels));
        bias = nn.Parameter(zeros(channels));
        running_mean = zeros(channels).DetachFromDisposeScope();
        running_var = ones(channels).DetachFromDisposeScope();
        num_batches_tracked = zeros([], ScalarType.Int64).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>Share of a training batch in the running statistics; 0 leaves them, and their counter, as they are.</summary>
    internal double Momentum { get; set; }

    /// <summary>
    /// Where not null, evaluation normalises by the batch's own statistics mixed with the running ones, which weigh as much as that many clips.
    /// </summary>
    internal double? PriorClips { get; set; }

    /// <summary>Mean and variance (C) that evaluation normalises by, and the number of training batches that made them.</summary>
    internal Tensor[] Running => [running_mean, running_var, num_batches_tracked];

    /// <summary>Added to the variance.</summary>
    internal double Epsilon { get; }

    /// <summary>What follows the norm.</summary>
    internal Activation Activation => _activation;

    /// <summary>What it does in evaluation mode: x scale + shift, each (C) in float64.</summary>
    internal (Tensor Scale, Tensor Shift) Affine()
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var scale = weight.to(ScalarType.Float64) * running_var.to(ScalarType.Float64).Plus(Epsilon).rsqrt();
        var shift = bias.to(ScalarType.Float64).Plus(running_mean.to(ScalarType.Float64).neg() * scale);
        return (scale.MoveToOuterDisposeScope(), shift.MoveToOuterDisposeScope());
    }

    public override Tensor forward(Tensor x) // (B, C, ...)
    {
        if (!training && PriorClips is { } prior) return Mixed(x, prior);
        if (training && Momentum > 0) num_batches_tracked.add_(_one, _one);
        return Normalised(x, running_mean, running_var);
    }

    // With a source that weighs N clips, and n clips: mean = N/(N+n) mean_s + n/(N+n) mean_t, variances likewise (Schneider et al. 2020, eq. 2).
    Tensor Mixed(Tensor x, double prior)
    {
        using var scope = NewDisposeScope();
        var own = x.shape[0] / (prior + x.shape[0]);
        long[] axes = [0, .. Enumerable.Range(2, (int)x.dim() - 2).Select(i => (long)i)];
        var (variance, mean) = var_mean(x, axes, unbiased: false);                            // (C) each
        return Normalised(
            x, running_mean.Times(1 - own).Plus(mean.Times(own)), running_var.Times(1 - own).Plus(variance.Times(own))).MoveToOuterDisposeScope();
    }

    Tensor Normalised(Tensor x, Tensor mean, Tensor variance)
    {
        var training = this.training;
        var (fused, rest) = _activation switch
        {
            Activation.Relu => (NormActivation.Relu, Activation.None),
            Activation.Silu => (NormActivation.Silu, Activation.None),
            Activation.Hardswish => (NormActivation.Hardswish, Activation.None),
            _ => (NormActivation.None, _activation),
        };
        if (FusedBatchNorm.Apply(x, mean, variance, weight, bias, training, Momentum, Epsilon, fused, _overwrites) is { } done)
            return rest.Consume(done);
        var normal = nn.functional.batch_norm(x, mean, variance, weight, bias, training, Momentum, Epsilon);
        return _activation.Consume(normal);
    }
}
