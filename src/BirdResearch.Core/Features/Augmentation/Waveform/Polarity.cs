using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Changes the sign of every sample, as a microphone wired the other way round. A spectrogram does not show it; raw sound does.</summary>
/// <param name="settings">How often.</param>
public sealed class Polarity(PolaritySettings settings) : WindowAugmentation(Name, settings.Probability)
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "polarity";

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        Loudness.Scale(window, -1);
        return true;
    }
}
