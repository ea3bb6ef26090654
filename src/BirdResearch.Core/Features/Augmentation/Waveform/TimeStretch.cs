using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Makes a clip faster or slower at the same pitch (see <see cref="PhaseVocoder"/>). The factor is drawn evenly on a logarithmic scale. A slower
/// clip loses what no longer fits, a faster one goes on from its start; where it begins is drawn as well.
/// </summary>
public sealed class TimeStretch : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "time-stretch";

    readonly TimeStretchSettings _settings;
    readonly int _sampleRate;

    /// <param name="settings">How often, and the range of factors.</param>
    /// <param name="sampleRate">Of the windows, in Hz.</param>
    public TimeStretch(TimeStretchSettings settings, int sampleRate) : base(Name, settings.Probability)
    {
        CheckRange("min_factor", settings.MinFactor, "max_factor", settings.MaxFactor, 0.25, 4);
        (_settings, _sampleRate) = (settings, sampleRate);
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var factor = Draw.Logarithmic(random, _settings.MinFactor, _settings.MaxFactor);
        var start = Draw.Start(random, window.Length, factor);
        var power = Loudness.Power(window);
        var needed = (int)Math.Ceiling(start + window.Length * factor) + _sampleRate / 10;
        using var sound = new Rented(Math.Max(needed, window.Length));
        for (var at = 0; at < sound.Span.Length; at += window.Length)
            window[..Math.Min(window.Length, sound.Span.Length - at)].CopyTo(sound.Span[at..]);
        PhaseVocoder.Stretch(sound.Span, _sampleRate, start, factor, window);
        PhaseVocoder.MakeUp(window, power);
        return true;
    }
}
