using BirdResearch.Data;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>What becomes of the labels of two mixed clips.</summary>
public enum MixedLabels
{
    /// <summary>Each clip's labels by its share of the sound, as mixup was published (Zhang et al. 2018).</summary>
    Weighted,

    /// <summary>The union: a bird that is heard is heard, however softly (BirdNET, BirdCLEF).</summary>
    Union,
}

/// <summary>
/// Mixes a clip with another one of its batch: <c>w x_i + (1 - w) x_j</c> with w from Beta(alpha, alpha) (Zhang et al. 2018).
/// Each clip decides for itself, so that every batch holds mixed and clean clips in the wanted proportion.
/// </summary>
public sealed class Mixup
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "mixup";

    readonly double _probability, _alpha;
    readonly MixedLabels _labels;

    /// <param name="settings">How often, with what weights, and what becomes of the labels.</param>
    public Mixup(MixupSettings settings)
    {
        AugmentationRange.Check("mixup.probability", settings.Probability, 0, 1);
        AugmentationRange.Check("mixup.alpha", settings.Alpha, 1e-3, 1e3);
        (_probability, _alpha, _labels) = (settings.Probability, settings.Alpha, settings.Labels);
    }

    /// <summary>Sound (B, T) or features (B, ...) and labels (B, C) to new ones of that shape. One clip alone stays as it is.</summary>
    public LabelledSound Apply(LabelledSound batch, AugmentationCounts counts)
    {
        var (clips, labels) = (batch.Samples, batch.Labels);
        var rows = (int)clips.shape[0];
        var (partners, weights) = Draw(batch.Keys);
        counts.Add(Name, Enumerable.Range(0, rows).Count(row => partners[row] != row), rows);

        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var partner = tensor(partners, device: clips.device);
        var weight = tensor(weights, dtype: clips.dtype, device: clips.device);                            // (B)
        var rest = tensor([.. weights.Select(w => 1 - w)], dtype: clips.dtype, device: clips.device);      // (B)
        var shape = clips.shape.Select((_, axis) => axis == 0 ? rows : 1L).ToArray();                      // (B, 1, ...)
        var others = labels.index_select(0, partner);                                                      // (B, C)
        var mixed = (clips * weight.reshape(shape)).Plus(clips.index_select(0, partner) * rest.reshape(shape));  // (B, ...)
        var mixedLabels = _labels == MixedLabels.Union
            ? maximum(labels, others)
            : (labels * weight.unsqueeze(1).to(labels.dtype)).Plus(others * rest.unsqueeze(1).to(labels.dtype)); // (B, C)
        return batch with { Samples = mixed.MoveToOuterDisposeScope(), Labels = mixedLabels.MoveToOuterDisposeScope() };
    }

    /// <summary>Each row's partner (itself when it is not mixed) and its own weight (then 1).</summary>
    (long[] Partners, double[] Weights) Draw(IReadOnlyList<SampleKey> keys)
    {
        var rows = keys.Count;
        var (partners, weights) = (new long[rows], new double[rows]);
        for (var row = 0; row < rows; row++)
        {
            var random = keys[row].RandomFor(Name);
            var mix = random.NextDouble() < _probability && rows > 1;
            partners[row] = mix ? (row + 1 + random.NextInt(rows - 1)) % rows : row;
            weights[row] = mix ? Beta(random, _alpha) : 1;
        }
        return (partners, weights);
    }

    // The share of one of two Gamma(alpha) variables, in logarithms so that a small alpha does not underflow.
    static double Beta(CounterRandom random, double alpha) => 1 / (1 + Math.Exp(LogGamma(random, alpha) - LogGamma(random, alpha)));

    // Logarithm of a Gamma(shape, 1) variable (Marsaglia and Tsang 2000); below 1 as Gamma(shape + 1) U^(1 / shape).
    static double LogGamma(CounterRandom random, double shape)
    {
        if (shape < 1) return LogGamma(random, shape + 1) + Math.Log(1 - random.NextDouble()) / shape;
        var d = shape - 1.0 / 3;
        while (true)
        {
            var x = random.NextGaussian();
            var v = Math.Pow(1 + x / Math.Sqrt(9 * d), 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < x * x / 2 + d * (1 - v + Math.Log(v))) return Math.Log(d * v);
        }
    }
}
