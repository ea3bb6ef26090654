using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>-y log p - (1 - y) log(1 - p) with p = sigmoid(logit).</summary>
sealed class BinaryCrossEntropy(double smoothing) : BinaryLoss(smoothing)
{
    protected override Tensor Cells(Tensor logits, Tensor targets) =>
        nn.functional.binary_cross_entropy_with_logits(logits, targets, reduction: nn.Reduction.None);
}
