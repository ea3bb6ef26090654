using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Plays a clip faster or slower, as a tape: pitch and length change together. The factor is drawn evenly on a logarithmic scale. A slower
/// clip loses what no longer fits, a faster one goes on from its start; where it begins is drawn as well.
/// </summary>
public sealed class Speed : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "speed";

    readonly SpeedSettings _settings;

    /// <param name="settings">How often, and the range of factors.</param>
    public Speed(SpeedSettings settings) : base(Name, settings.Probability)
    {
        CheckRange("min_factor", settings.MinFactor, "max_factor", settings.MaxFactor, 0.25, 4);
        _settings = settings;
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var factor = Draw.Logarithmic(random, _settings.MinFactor, _settings.MaxFactor);
        using var sound = new Rented(window.Length);
        window.CopyTo(sound.Span);
        SteppedReading.Read(sound.Span, Draw.Start(random, window.Length, factor), factor, around: true, window);
        return true;
    }
}
