using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>A loss of independent yes-or-no cells, averaged with the cells' weights.</summary>
/// <param name="smoothing">Share of each label that is spread over yes and no alike.</param>
abstract class BinaryLoss(double smoothing) : Loss
{
    // Where every weight is 0 the sum is 0 as well.
    const double Least = 1e-12;

    /// <inheritdoc/>
    public override (Tensor Sum, double Count) Sum(Tensor logits, Tensor labels, Tensor? weights = null)
    {
        using var scope = NewDisposeScope();
        var targets = smoothing > 0 ? labels.Times(1 - smoothing).Plus(smoothing / 2) : labels;
        var cells = Cells(logits, targets);                                                         // (B, C)
        var sum = (weights is null ? cells : cells * weights).sum().MoveToOuterDisposeScope();
        return (sum, weights is null ? logits.numel() : Math.Max(Least, weights.sum(ScalarType.Float64).item<double>()));
    }

    /// <inheritdoc/>
    public override Tensor Scores(Tensor logits) => sigmoid(logits);

    /// <summary>Loss of every cell (B, C) for targets in [0, 1]; between 0 and 1 a target is a mixture of no and yes.</summary>
    protected abstract Tensor Cells(Tensor logits, Tensor targets);
}
