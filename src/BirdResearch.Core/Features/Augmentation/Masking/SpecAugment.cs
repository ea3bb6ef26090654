using BirdResearch.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Masks bands of rows and stretches of frames with one value, by default 0, the mean of normalised features (SpecAugment, Park et al.
/// 2019, without time warping). Each mask is 1 up to its largest share wide, uniformly, and lies anywhere; an axis of one, such as the
/// row of raw sound, is not masked.
/// </summary>
public sealed class SpecAugment
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "spec-augment";

    readonly double _probability, _frequencyShare, _timeShare;
    readonly int _frequencyMasks, _timeMasks;
    readonly Scalar _maskedValue, _none = 0;
    readonly bool _fills;

    /// <param name="settings">How often, how many masks, and their largest shares; a share of 0 switches its masks off.</param>
    /// <param name="maskedValue">What a masked cell holds, see <see cref="FrontEnd.MaskedValue"/>.</param>
    public SpecAugment(SpecAugmentSettings settings, double maskedValue = 0)
    {
        AugmentationRange.Check("spec_augment.frequency_masks", settings.FrequencyMasks, 0, 1_000);
        AugmentationRange.Check("spec_augment.frequency_share", settings.FrequencyShare, 0, 1);
        AugmentationRange.Check("spec_augment.time_masks", settings.TimeMasks, 0, 1_000);
        AugmentationRange.Check("spec_augment.time_share", settings.TimeShare, 0, 1);
        AugmentationRange.Check("spec_augment.probability", settings.Probability, 0, 1);
        _frequencyMasks = settings.FrequencyShare > 0 ? settings.FrequencyMasks : 0;
        _timeMasks = settings.TimeShare > 0 ? settings.TimeMasks : 0;
        (_frequencyShare, _timeShare, _probability) = (settings.FrequencyShare, settings.TimeShare, settings.Probability);
        (_maskedValue, _fills) = (maskedValue, maskedValue != 0);
    }

    /// <summary>Features (B, channels, rows, frames) to new ones of the same shape; all channels of a clip share its masks.</summary>
    public Tensor Apply(Tensor features, IReadOnlyList<SampleKey> keys, AugmentationCounts counts)
    {
        var (clips, rows, frames) = ((int)features.shape[0], (int)features.shape[2], (int)features.shape[3]);
        var (keptRows, keptFrames) = (new float[clips * rows], new float[clips * frames]);
        keptRows.AsSpan().Fill(1);
        keptFrames.AsSpan().Fill(1);
        for (var clip = 0; clip < clips; clip++)
        {
            var random = keys[clip].RandomFor(Name);
            var applies = random.NextDouble() < _probability && _frequencyMasks + _timeMasks > 0;
            counts.Add(keys[clip], Name, applies);
            if (!applies) continue;
            Mask(keptRows.AsSpan(clip * rows, rows), _frequencyMasks, _frequencyShare, random);
            Mask(keptFrames.AsSpan(clip * frames, frames), _timeMasks, _timeShare, random);
        }

        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var byRow = tensor(keptRows, [clips, 1, rows, 1], dtype: features.dtype, device: features.device);
        var byFrame = tensor(keptFrames, [clips, 1, 1, frames], dtype: features.dtype, device: features.device);
        var kept = byRow * byFrame;                                           // (B, 1, rows, frames)
        var result = features * kept;                                         // (B, channels, rows, frames)
        if (_fills) result.add_(kept.eq(_none).to(features.dtype), _maskedValue);
        return result.MoveToOuterDisposeScope();
    }

    static void Mask(Span<float> kept, int masks, double share, CounterRandom random)
    {
        if (kept.Length == 1) return;
        var widest = Math.Max(1, (int)(share * kept.Length));
        for (var mask = 0; mask < masks; mask++)
        {
            var width = 1 + random.NextInt(widest);
            kept.Slice(random.NextInt(kept.Length - width + 1), width).Clear();
        }
    }
}
