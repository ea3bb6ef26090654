using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Adds independent normal samples, at a ratio of powers in dB drawn uniformly.</summary>
public sealed class GaussianNoise : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "gaussian-noise";

    readonly GaussianNoiseSettings _settings;

    /// <param name="settings">How often, and how loud.</param>
    public GaussianNoise(GaussianNoiseSettings settings) : base(Name, settings.Probability)
    {
        CheckRange("min_snr_db", settings.MinSnrDb, "max_snr_db", settings.MaxSnrDb, -60, 120);
        _settings = settings;
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var snr = random.NextDouble(_settings.MinSnrDb, _settings.MaxSnrDb);
        using var noise = new Rented(window.Length);
        NormalNoise.Fill(noise.Span, random);
        return Loudness.AddAtSnr(window, noise.Span, snr);
    }
}
