using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Stochastic depth: in training each sample's residual branch is dropped with a probability, and kept ones are divided by the
/// probability of being kept. Huang et al. 2016, Deep Networks with Stochastic Depth.
/// </summary>
sealed class DropPath(double rate)
{
    readonly Scalar _keep = 1 - rate;

    /// <summary>Probability that a sample's branch is dropped.</summary>
    public double Rate => rate;

    /// <summary>The branch itself when nothing can be dropped.</summary>
    public Tensor Apply(Tensor branch, bool training) // (B, ...)
    {
        if (rate == 0 || !training) return branch;
        using var scope = NewDisposeScope();
        var shape = Enumerable.Repeat(1L, (int)branch.dim()).ToArray();
        shape[0] = branch.shape[0];
        var kept = empty(shape, dtype: branch.dtype, device: branch.device).bernoulli_(1 - rate).div_(_keep);
        return (branch * kept).MoveToOuterDisposeScope();
    }
}
