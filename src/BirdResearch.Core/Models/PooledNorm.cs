using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Batch normalisation of (B, d) without weights of its own: each column to mean 0 and variance 1.</summary>
sealed class PooledNorm : nn.Module<Tensor, Tensor>
{
    const double Epsilon = 1e-5, Momentum = 0.1;

    readonly Tensor running_mean;        // (d)
    readonly Tensor running_var;         // (d)

    public PooledNorm(long columns) : base(nameof(PooledNorm))
    {
        running_mean = zeros(columns).DetachFromDisposeScope();
        running_var = ones(columns).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>What it does in evaluation mode: x scale + shift, each (d) in float64.</summary>
    internal (Tensor Scale, Tensor Shift) Affine()
    {
        using var scope = NewDisposeScope();
        var scale = running_var.to(ScalarType.Float64).Plus(Epsilon).rsqrt();
        var shift = running_mean.to(ScalarType.Float64).neg() * scale;
        return (scale.MoveToOuterDisposeScope(), shift.MoveToOuterDisposeScope());
    }

    public override Tensor forward(Tensor x) =>                 // (B, d)
        nn.functional.batch_norm(x, running_mean, running_var, null, null, training, Momentum, Epsilon);
}
