using BirdResearch.Data;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Masks strips along time (x), strips along frequency (y) and boxes of both, each number and each length drawn anew: albumentations' XYMasking,
/// as the first place of BirdCLEF 2024 used it, with boxes besides. A length is at least one cell; an axis of one cell is not masked.
/// </summary>
public sealed class XyMasking
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "xy-masking";

    readonly XyMaskingSettings _settings;
    readonly double _maskedValue;

    /// <param name="settings">How often, how many masks, how large, and what they hold.</param>
    /// <param name="maskedValue">What a masked cell holds, see <see cref="FrontEnd.MaskedValue"/>.</param>
    public XyMasking(XyMaskingSettings settings, double maskedValue = 0)
    {
        AugmentationRange.Check("xy_masking.probability", settings.Probability, 0, 1);
        Check("x_masks", settings.MinXMasks, settings.MaxXMasks, 1000);
        Check("y_masks", settings.MinYMasks, settings.MaxYMasks, 1000);
        Check("boxes", settings.MinBoxes, settings.MaxBoxes, 1000);
        Check("x_share", settings.MinXShare, settings.MaxXShare, 1);
        Check("y_share", settings.MinYShare, settings.MaxYShare, 1);
        (_settings, _maskedValue) = (settings, maskedValue);
    }

    /// <summary>Features (B, channels, rows, frames) to new ones of the same shape; all channels of a clip share its masks.</summary>
    public Tensor Apply(Tensor features, IReadOnlyList<SampleKey> keys, AugmentationCounts counts)
    {
        var (clips, rows, frames) = ((int)features.shape[0], (int)features.shape[2], (int)features.shape[3]);
        var masked = new bool[clips * rows * frames];
        for (var clip = 0; clip < clips; clip++)
        {
            var random = keys[clip].RandomFor(Name);
            counts.Add(keys[clip], Name, random.NextDouble() < _settings.Probability && Mask(masked.AsSpan(clip * rows * frames, rows * frames), rows, frames, random));
        }

        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        if (!masked.Contains(true)) return features.clone().MoveToOuterDisposeScope();
        var cells = tensor(masked, device: features.device).reshape(clips, 1, rows, frames);            // (B, 1, rows, frames)
        return where(cells, Fill(features), features).MoveToOuterDisposeScope();                        // (B, channels, rows, frames)
    }

    Tensor Fill(Tensor features) => _settings.Fill switch                                              // (B, 1, 1, 1)
    {
        MaskFill.Mean => features.mean([1, 2, 3], keepdim: true),
        MaskFill.Minimum => features.amin([1, 2, 3], keepdim: true),
        _ => tensor(new[] { (float)_maskedValue }, dtype: features.dtype, device: features.device).reshape(1, 1, 1, 1),
    };

    bool Mask(Span<bool> cells, int rows, int frames, CounterRandom random)
    {
        var any = false;
        var (x, y) = (Draw.Count(random, _settings.MinXMasks, _settings.MaxXMasks), Draw.Count(random, _settings.MinYMasks, _settings.MaxYMasks));
        var boxes = Draw.Count(random, _settings.MinBoxes, _settings.MaxBoxes);
        for (var mask = 0; mask < x + y + boxes; mask++)
        {
            var (alongX, alongY) = (mask < x || mask >= x + y, mask >= x);
            var (from, width) = alongX ? Stretch(random, frames, _settings.MinXShare, _settings.MaxXShare) : (0, frames);
            var (lowest, height) = alongY ? Stretch(random, rows, _settings.MinYShare, _settings.MaxYShare) : (0, rows);
            for (var row = lowest; row < lowest + height; row++) cells.Slice(row * frames + from, width).Fill(true);
            any |= width * height > 0;
        }
        return any;
    }

    static (int From, int Width) Stretch(CounterRandom random, int cells, double low, double high)
    {
        if (cells == 1 || high == 0) return (0, 0);
        var (least, most) = (Math.Max(1, (int)(low * cells)), Math.Max(1, (int)(high * cells)));
        var width = Draw.Count(random, least, most);
        return (random.NextInt(cells - width + 1), width);
    }

    static void Check(string name, double low, double high, double largest) =>
        AugmentationRange.Check($"xy_masking.min_{name}", low, $"xy_masking.max_{name}", high, 0, largest);
}
