using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Moves the pitch by semitones drawn uniformly and keeps every sound at its time: the clip is stretched at its pitch and then read faster or
/// slower to its own length again.
/// </summary>
public sealed class PitchShift : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "pitch-shift";

    const int Edge = 64;   // what reading looks at before the clip and after it

    readonly PitchShiftSettings _settings;
    readonly int _sampleRate;

    /// <param name="settings">How often, and the range in semitones.</param>
    /// <param name="sampleRate">Of the windows, in Hz.</param>
    public PitchShift(PitchShiftSettings settings, int sampleRate) : base(Name, settings.Probability)
    {
        CheckRange("min_semitones", settings.MinSemitones, "max_semitones", settings.MaxSemitones, -24, 24);
        (_settings, _sampleRate) = (settings, sampleRate);
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var ratio = Math.Pow(2, random.NextDouble(_settings.MinSemitones, _settings.MaxSemitones) / 12);
        var power = Loudness.Power(window);
        using var stretched = new Rented((int)Math.Ceiling(window.Length * ratio) + 2 * Edge);
        PhaseVocoder.Stretch(window, _sampleRate, -Edge / ratio, 1 / ratio, stretched.Span);
        SteppedReading.Read(stretched.Span, Edge, ratio, around: false, window);
        PhaseVocoder.MakeUp(window, power);
        return true;
    }
}
