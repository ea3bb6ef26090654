using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Replaces a stretch of a clip by the same stretch of another clip of its batch: CutMix (Yun et al. 2019) along time. The share that stays is
/// drawn from Beta(alpha, alpha), where the stretch lies uniformly; weighted labels go by the samples of each clip. Comes after mixup, so that
/// the stretch may be of a mixture.
/// </summary>
public sealed class CutMix
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "cut-mix";

    readonly CutMixSettings _settings;

    /// <param name="settings">How often, how much, and what becomes of the labels.</param>
    public CutMix(CutMixSettings settings)
    {
        AugmentationRange.Check("cut_mix.probability", settings.Probability, 0, 1);
        AugmentationRange.Check("cut_mix.alpha", settings.Alpha, 1e-3, 1e3);
        _settings = settings;
    }

    /// <summary>Sound (B, T), labels (B, C) and their weights to new ones of that shape. One clip alone stays as it is.</summary>
    public LabelledSound Apply(LabelledSound batch, AugmentationCounts counts)
    {
        var (clips, keys) = (batch.Samples, batch.Keys);
        var (count, length) = (keys.Count, clips.shape[^1]);
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var result = clips.clone();                                                    // (B, T)
        var rows = new[] { new long[count], new long[count] };
        var shares = new[] { new double[count], new double[count] };
        for (var row = 0; row < count; row++)
        {
            var random = keys[row].RandomFor(Name);
            var applies = random.NextDouble() < _settings.Probability && count > 1;
            (rows[0][row], rows[1][row], shares[0][row], shares[1][row]) = (row, row, 1, 0);
            counts.Add(keys[row], Name, applies);
            if (!applies) continue;
            var cut = Math.Clamp((long)Math.Round((1 - Dirichlet.Draw(random, 2, _settings.Alpha)[0]) * length), 1, length - 1);
            var from = (long)(random.NextDouble() * (length - cut + 1));
            var partner = MixedRows.Partners(random, row, count, 1)[0];
            result[row].narrow(-1, from, cut).copy_(clips[partner].narrow(-1, from, cut));
            (rows[1][row], shares[0][row], shares[1][row]) = (partner, 1 - (double)cut / length, (double)cut / length);
        }
        var (labels, weights) = new MixedRows(rows, shares).Targets(batch, _settings.Labels);
        return batch with
        {
            Samples = result.MoveToOuterDisposeScope(),
            Labels = labels.MoveToOuterDisposeScope(),
            LabelWeights = weights?.MoveToOuterDisposeScope(),
        };
    }
}
