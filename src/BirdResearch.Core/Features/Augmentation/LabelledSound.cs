using BirdResearch.Data;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>A batch on its way through augmentation.</summary>
/// <param name="Samples">(B, T), or features (B, ...).</param>
/// <param name="Labels">(B, C), in [0, 1].</param>
/// <param name="Keys">What each row's random numbers are made of.</param>
public sealed record LabelledSound(Tensor Samples, Tensor Labels, IReadOnlyList<SampleKey> Keys)
{
    /// <summary>Weight (B, C) of each label in the loss, 0 for one that is not known; null counts all alike.</summary>
    public Tensor? LabelWeights { get; init; }
}
