using BirdResearch.Data;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// What training minimises, and how logits become scores. Every loss is a sum over cells or rows divided by how many of them count, so that
/// a batch can be summed in parts. A cell whose weight is 0 has a gradient of exactly 0.
/// </summary>
public abstract class Loss
{
    /// <summary>The names that <see cref="Named"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = ["bce", "ce", "focal", "asymmetric"];

    /// <summary>The loss by name; null takes <c>ce</c> for one label per clip and <c>bce</c> for many.</summary>
    /// <param name="name">One of <see cref="Names"/>, or null.</param>
    /// <param name="labelling">How many classes a clip may have.</param>
    /// <param name="smoothing">Share of label mass spread evenly, in [0, 1).</param>
    /// <param name="focal">Numbers of <c>focal</c>; null takes the defaults.</param>
    /// <param name="asymmetric">Numbers of <c>asymmetric</c>; null takes the defaults.</param>
    public static Loss Named(
        string? name, Labelling labelling, double smoothing = 0, FocalSettings? focal = null, AsymmetricSettings? asymmetric = null)
    {
        if (smoothing is not (>= 0 and < 1))
            throw new ArgumentException($"label_smoothing is {smoothing}; it must be at least 0 and below 1.");
        return (name ?? (labelling == Labelling.SingleLabel ? "ce" : "bce")) switch
        {
            "bce" => new BinaryCrossEntropy(smoothing),
            "ce" => new CrossEntropy(smoothing),
            "focal" => new FocalLoss(focal ?? new(), smoothing),
            "asymmetric" => new AsymmetricLoss(asymmetric ?? new(), smoothing),
            var other => throw new ArgumentException($"The loss '{other}' is not known; use {string.Join(" or ", Names)}."),
        };
    }

    /// <summary>Mean loss of logits (B, C) against labels (B, C) in [0, 1]: a scalar.</summary>
    /// <param name="logits">(B, C).</param>
    /// <param name="labels">(B, C), in [0, 1].</param>
    /// <param name="weights">
    /// How much each label counts (B, C), at least 0; 0 for one that is not known. Binary losses are divided by the sum of the weights;
    /// <c>ce</c> leaves unknown classes out of its softmax. Null counts all alike.
    /// </param>
    public Tensor Of(Tensor logits, Tensor labels, Tensor? weights = null)
    {
        using var scope = NewDisposeScope();
        var (sum, count) = Sum(logits, labels, weights);
        return (sum / tensor((float)count)).MoveToOuterDisposeScope();
    }

    /// <summary>The loss before its division: a scalar sum, and the positive number to divide by. As <see cref="Of"/>.</summary>
    public abstract (Tensor Sum, double Count) Sum(Tensor logits, Tensor labels, Tensor? weights = null);

    /// <summary>Whether a row's scores sum to 1 (softmax); else each class has a score of its own (sigmoid).</summary>
    public virtual bool IsShared => false;

    /// <summary>Scores (B, C) in [0, 1] of logits (B, C).</summary>
    public abstract Tensor Scores(Tensor logits);
}
