using BirdResearch.Data;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Mixes a clip with one or more others of its batch: <c>sum_k w_k x_k</c>, with w from Beta(alpha, alpha) for two (Zhang et al. 2018) and from the
/// symmetric Dirichlet distribution for more. Each clip decides for itself, so that every batch holds mixed and clean clips in the wanted
/// proportion. What is drawn, but for the partners, does not depend on the batch.
/// </summary>
public sealed class Mixup
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "mixup";

    readonly MixupSettings _settings;

    /// <param name="settings">How often, with how many, with what weights, and what becomes of the labels.</param>
    public Mixup(MixupSettings settings)
    {
        AugmentationRange.Check("mixup.probability", settings.Probability, 0, 1);
        AugmentationRange.Check("mixup.alpha", settings.Alpha, 1e-3, 1e3);
        AugmentationRange.Check("mixup.others", settings.Others, 1, 64);
        AugmentationRange.Check("mixup.min_weight", settings.MinWeight, 0, 1.0 / (1 + settings.Others));
        _settings = settings;
    }

    /// <summary>Sound (B, T) or features (B, ...), labels (B, C) and their weights to new ones of that shape. One clip alone stays as it is.</summary>
    public LabelledSound Apply(LabelledSound batch, AugmentationCounts counts)
    {
        var clips = batch.Samples;
        var mix = Draw(batch.Keys);
        for (var row = 0; row < batch.Keys.Count; row++) counts.Add(batch.Keys[row], Name, mix.Rows[1][row] != row);

        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var shape = clips.shape.Select((_, axis) => axis == 0 ? clips.shape[0] : 1L).ToArray();     // (B, 1, ...)
        Tensor? mixed = null;
        foreach (var (rows, shares) in mix.Parts(clips.device, clips.dtype))
        {
            var part = (mixed is null ? clips : clips.index_select(0, rows)) * shares.reshape(shape);   // (B, ...)
            mixed = mixed is null ? part : mixed.Plus(part);
        }
        var (labels, weights) = mix.Targets(batch, _settings.Labels);                              // (B, C)
        return batch with
        {
            Samples = mixed!.MoveToOuterDisposeScope(),
            Labels = labels.MoveToOuterDisposeScope(),
            LabelWeights = weights?.MoveToOuterDisposeScope(),
        };
    }

    MixedRows Draw(IReadOnlyList<SampleKey> keys)
    {
        var (count, parts) = (keys.Count, _settings.Others + 1);
        var rows = Enumerable.Range(0, parts).Select(_ => Enumerable.Range(0, count).Select(r => (long)r).ToArray()).ToArray();
        var shares = Enumerable.Range(0, parts).Select(part => Enumerable.Repeat(part == 0 ? 1.0 : 0, count).ToArray()).ToArray();
        for (var row = 0; row < count; row++)
        {
            var random = keys[row].RandomFor(Name);
            if (random.NextDouble() >= _settings.Probability || count == 1) continue;
            var others = Math.Min(Features.Draw.Count(random, 1, _settings.Others), count - 1);
            var weights = Dirichlet.Draw(random, others + 1, _settings.Alpha);
            var partners = MixedRows.Partners(random, row, count, others);
            for (var part = 0; part <= others; part++)
            {
                if (part > 0) rows[part][row] = partners[part - 1];
                shares[part][row] = _settings.MinWeight + (1 - (others + 1) * _settings.MinWeight) * weights[part];
            }
        }
        return new(rows, shares);
    }
}
