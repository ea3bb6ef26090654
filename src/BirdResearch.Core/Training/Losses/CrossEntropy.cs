using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// Softmax cross-entropy, averaged over clips; several labels of a clip share its mass. Classes whose label is not known are left out of the
/// softmax and of the smoothing: what is learnt is which of the known classes it is.
/// </summary>
sealed class CrossEntropy(double smoothing) : Loss
{
    // So far below any logit that its exponential is exactly 0, and finite, so that 0 times it is 0.
    const double Out = -1e9;

    public override (Tensor Sum, double Count) Sum(Tensor logits, Tensor labels, Tensor? weights = null)
    {
        using var scope = NewDisposeScope();
        var known = weights?.ne(KeptScalar.Of(0L));                                                  // (B, C)
        var counted = weights is null ? labels : labels * weights;
        var mass = counted / counted.sum([1], keepdim: true).clamp_min(KeptScalar.Of(1e-6));
        if (known is not null) logits = logits.masked_fill(known.logical_not(), KeptScalar.Of(Out));
        var targets = smoothing > 0 ? mass.Times(1 - smoothing).Plus(Spread(mass, known)) : mass;
        var sum = -(targets * nn.functional.log_softmax(logits, 1)).sum();
        return (sum.MoveToOuterDisposeScope(), logits.shape[0]);
    }

    public override bool IsShared => true;

    public override Tensor Scores(Tensor logits) => softmax(logits, 1);

    /// <summary>The smoothed share, even over the known classes.</summary>
    Tensor Spread(Tensor mass, Tensor? known)
    {
        var classes = known?.to(mass.dtype) ?? mass.ones_like();
        return (classes / classes.sum([1], keepdim: true).clamp_min(KeptScalar.Of(1L))).Times(smoothing);
    }
}
