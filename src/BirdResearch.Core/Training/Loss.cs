using BirdResearch.Data;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>What training minimises, and how logits become scores.</summary>
public abstract class Loss
{
    /// <summary>The names that <see cref="Named"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = ["bce", "ce"];

    /// <summary>The loss by name; null takes <c>ce</c> for one label per clip and <c>bce</c> for many.</summary>
    /// <param name="name"><c>bce</c>, <c>ce</c> or null.</param>
    /// <param name="labelling">How many classes a clip may have.</param>
    /// <param name="smoothing">Share of label mass spread evenly, in [0, 1).</param>
    public static Loss Named(string? name, Labelling labelling, double smoothing = 0)
    {
        if (smoothing is < 0 or >= 1)
            throw new ArgumentException($"label_smoothing is {smoothing}; it must be at least 0 and below 1.");
        return (name ?? (labelling == Labelling.SingleLabel ? "ce" : "bce")) switch
        {
            "bce" => new BinaryCrossEntropy(smoothing),
            "ce" => new CrossEntropy(smoothing),
            var other => throw new ArgumentException($"The loss '{other}' is not known; use {string.Join(" or ", Names)}."),
        };
    }

    /// <summary>Scalar mean loss of logits (B, C) against labels (B, C) in [0, 1].</summary>
    public abstract Tensor Of(Tensor logits, Tensor labels);

    /// <summary>Scores (B, C) in [0, 1] of logits (B, C).</summary>
    public abstract Tensor Scores(Tensor logits);

    sealed class BinaryCrossEntropy(double smoothing) : Loss
    {
        public override Tensor Of(Tensor logits, Tensor labels)
        {
            using var scope = NewDisposeScope();
            var targets = smoothing > 0 ? labels.Times(1 - smoothing).Plus(smoothing / 2) : labels;
            return nn.functional.binary_cross_entropy_with_logits(logits, targets).MoveToOuterDisposeScope();
        }

        public override Tensor Scores(Tensor logits) => sigmoid(logits);
    }

    sealed class CrossEntropy(double smoothing) : Loss
    {
        public override Tensor Of(Tensor logits, Tensor labels)
        {
            using var scope = NewDisposeScope();
            var mass = labels / labels.sum([1], keepdim: true).clamp_min(KeptScalar.Of(1e-6)); // several labels share the mass
            var targets = smoothing > 0 ? mass.Times(1 - smoothing).Plus(smoothing / labels.shape[1]) : mass;
            return (-(targets * nn.functional.log_softmax(logits, 1)).sum([1]).mean()).MoveToOuterDisposeScope();
        }

        public override Tensor Scores(Tensor logits) => softmax(logits, 1);
    }
}
