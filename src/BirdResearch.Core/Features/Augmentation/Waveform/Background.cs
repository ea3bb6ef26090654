using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Puts the sound of another place behind a clip, at a ratio of powers in dB drawn uniformly.</summary>
public sealed class Background : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "background";

    readonly BackgroundSettings _settings;
    readonly IBackgroundSounds? _sounds;

    /// <param name="settings">How often, and how loud.</param>
    /// <param name="sounds">Where it comes from; may be null where the probability is 0.</param>
    public Background(BackgroundSettings settings, IBackgroundSounds? sounds) : base(Name, settings.Probability)
    {
        CheckRange("min_snr_db", settings.MinSnrDb, "max_snr_db", settings.MaxSnrDb, -60, 120);
        (_settings, _sounds) = (settings, sounds);
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var snr = random.NextDouble(_settings.MinSnrDb, _settings.MaxSnrDb);
        using var sound = new Rented(window.Length);
        _sounds!.Read(random, key.Clip, sound.Span);
        return Loudness.AddAtSnr(window, sound.Span, snr);
    }
}
