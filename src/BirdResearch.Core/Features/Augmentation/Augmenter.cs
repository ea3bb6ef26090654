using BirdResearch.Data;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// The augmentations of a training in their order, which is that of a sound on its way: the bird (time shift, speed, time stretch, pitch), the
/// place (reverberation, background), the recorder (noise, filters, equaliser, gain, polarity, one that was added), each window by itself while it is read; then the
/// batch (mixup, cutmix); then its features (SpecAugment, XY masking). Every number is drawn from a sample's own key.
/// </summary>
public sealed class Augmenter : IDisposable
{
    readonly WindowAugmentation[] _windows;
    readonly Mixup _mixup;
    readonly CutMix _cutMix;
    readonly SpecAugment _specAugment;
    readonly XyMasking _xyMasking;

    /// <param name="settings">What is done, and how often.</param>
    /// <param name="sampleRate">Of the sound, in Hz.</param>
    /// <param name="maskedValue">What a masked cell holds, see <see cref="FrontEnd.MaskedValue"/>.</param>
    /// <param name="backgrounds">Sounds for <see cref="AugmentationSettings.Background"/>; may be null where its probability is 0.</param>
    public Augmenter(AugmentationSettings settings, int sampleRate, double maskedValue = 0, IBackgroundSounds? backgrounds = null)
    {
        _windows =
        [
            new TimeShift(settings.TimeShift),
            new Speed(settings.Speed),
            new TimeStretch(settings.TimeStretch, sampleRate),
            new PitchShift(settings.PitchShift, sampleRate),
            new Reverberation(settings.Reverberation, sampleRate),
            new Background(settings.Background, backgrounds),
            new ColouredNoise(settings.Noise, sampleRate),
            new GaussianNoise(settings.GaussianNoise),
            new HighPass(settings.HighPass, sampleRate),
            new LowPass(settings.LowPass, sampleRate),
            new Equaliser(settings.Equaliser, sampleRate),
            new Gain(settings.Gain),
            new Polarity(settings.Polarity),
            .. AddedAugmentations.Of(settings.Added, sampleRate),
        ];
        _mixup = new Mixup(settings.Mixup);
        _cutMix = new CutMix(settings.CutMix);
        _specAugment = new SpecAugment(settings.SpecAugment, maskedValue);
        _xyMasking = new XyMasking(settings.XyMasking, maskedValue);
        if (settings.Background.Probability > 0 && backgrounds is null)
            throw new ArgumentException(FormattableString.Invariant(
                $"training.augmentation.background.probability is {settings.Background.Probability}, but there are no sounds to take backgrounds from."));
    }

    /// <summary>How often each augmentation was offered and applied, earlier sittings included once they are restored.</summary>
    public AugmentationCounts Counts { get; } = new();

    /// <summary>Changes one window of samples in place; several threads may call it at a time.</summary>
    public void OnWindow(SampleKey key, Span<float> window)
    {
        foreach (var augmentation in _windows) augmentation.Apply(key, window, Counts);
    }

    /// <summary>Mixes rows of sound (B, T), their labels and label weights; new tensors, the given ones stay as they are.</summary>
    public LabelledSound OnBatch(LabelledSound batch)
    {
        using var scope = NewDisposeScope();
        var mixed = _cutMix.Apply(_mixup.Apply(batch, Counts), Counts);
        return mixed with
        {
            Samples = mixed.Samples.MoveToOuterDisposeScope(),
            Labels = mixed.Labels.MoveToOuterDisposeScope(),
            LabelWeights = mixed.LabelWeights?.MoveToOuterDisposeScope(),
        };
    }

    /// <summary>Changes features (B, channels, rows, frames); a new tensor.</summary>
    public Tensor OnFeatures(Tensor features, IReadOnlyList<SampleKey> keys)
    {
        using var scope = NewDisposeScope();
        return _xyMasking.Apply(_specAugment.Apply(features, keys, Counts), keys, Counts).MoveToOuterDisposeScope();
    }

    /// <summary>Frees what the augmentations keep.</summary>
    public void Dispose()
    {
    }
}
