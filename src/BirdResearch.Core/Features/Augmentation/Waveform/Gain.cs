using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Makes a clip louder or softer by decibels drawn uniformly. Nothing is clipped.</summary>
public sealed class Gain : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "gain";

    readonly GainSettings _settings;

    /// <param name="settings">How often, and the range in dB.</param>
    public Gain(GainSettings settings) : base(Name, settings.Probability)
    {
        CheckRange("min_db", settings.MinDb, "max_db", settings.MaxDb, -120, 60);
        _settings = settings;
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        Loudness.Scale(window, Loudness.Factor(random.NextDouble(_settings.MinDb, _settings.MaxDb)));
        return true;
    }
}
