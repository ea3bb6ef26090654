using BirdResearch.Data;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// The augmentations of a training in their order: each window by itself while it is read, then the batch of sound, then its features.
/// Every number is drawn from a sample's own key.
/// </summary>
public sealed class Augmenter : IDisposable
{
    readonly TimeShift _timeShift;
    readonly Mixup _mixup;
    readonly SpecAugment _specAugment;

    /// <param name="settings">What is done, and how often.</param>
    /// <param name="sampleRate">Of the sound, in Hz.</param>
    /// <param name="maskedValue">What a masked cell holds, see <see cref="FrontEnd.MaskedValue"/>.</param>
    public Augmenter(AugmentationSettings settings, int sampleRate, double maskedValue = 0)
    {
        _ = sampleRate;
        _timeShift = new TimeShift(settings.TimeShift);
        _mixup = new Mixup(settings.Mixup);
        _specAugment = new SpecAugment(settings.SpecAugment, maskedValue);
    }

    /// <summary>How often each augmentation was offered and applied in this sitting.</summary>
    public AugmentationCounts Counts { get; } = new();

    /// <summary>Changes one window of samples in place; several threads may call it at a time.</summary>
    public void OnWindow(SampleKey key, Span<float> window) => _timeShift.Apply(key, window, Counts);

    /// <summary>Mixes rows of sound (B, T) and their labels; new tensors, the given ones stay as they are.</summary>
    public LabelledSound OnBatch(LabelledSound batch) => _mixup.Apply(batch, Counts);

    /// <summary>Changes features (B, channels, rows, frames); a new tensor.</summary>
    public Tensor OnFeatures(Tensor features, IReadOnlyList<SampleKey> keys) => _specAugment.Apply(features, keys, Counts);

    /// <summary>Frees what the augmentations keep.</summary>
    public void Dispose()
    {
    }
}
