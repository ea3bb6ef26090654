using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Models;

// S4D: K[l] = 2 Re sum_n C_n B_n f_n a_n^l, with a = exp(dt A) and f = (a - 1) / A by zero-order hold, or a = (1 + dt A / 2) / (1 - dt A / 2)
// and f = dt / (1 - dt A / 2) by the bilinear rule.
public sealed partial class S4Kernel
{
    Tensor DiagonalKernels(long length)
    {
        using var scope = NewDisposeScope();
        var (logBase, weights) = Powers();
        return PowerSum.Apply(weights, logBase, length).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// What the kernels are sums of: logarithms of the bases a (H, N/2) and weights (K, H, N/2), so that K[l] = Re sum_n weight_n a_n^l.
    /// </summary>
    public (Tensor LogBase, Tensor Weights) Powers()
    {
        using var scope = NewDisposeScope();
        var (step, a, b, c) = Continuous();
        var turn = step * a;                                                    // (H, N/2)
        Tensor log, gain;
        if (_discretisation == Discretisation.ZeroOrderHold) (log, gain) = (turn, turn.exp().Plus(-1) / a);
        else
        {
            var below = turn.Times(-0.5).Plus(1);
            (log, gain) = ((turn.Times(0.5).Plus(1) / below).log(), step / below);
        }
        return (log.MoveToOuterDisposeScope(), (b.Times(2) * c * gain).MoveToOuterDisposeScope());
    }
}
