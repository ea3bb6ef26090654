using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Raises and lowers bands, as other microphones and other ways through the leaves do: bells of random middle (logarithmic), gain (uniform in dB)
/// and quality (logarithmic).
/// </summary>
public sealed class Equaliser : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "equaliser";

    readonly EqualiserSettings _settings;
    readonly int _sampleRate;

    /// <param name="settings">How often, how many bands, and their ranges.</param>
    /// <param name="sampleRate">Of the windows, in Hz.</param>
    public Equaliser(EqualiserSettings settings, int sampleRate) : base(Name, settings.Probability)
    {
        AugmentationRange.Check($"{Path}.bands", settings.Bands, 1, 32);
        AugmentationRange.Check($"{Path}.max_gain_db", settings.MaxGainDb, 0, 40);
        CheckRange("min_hz", settings.MinHz, "max_hz", settings.MaxHz, 1, 192_000);
        CheckRange("min_q", settings.MinQ, "max_q", settings.MaxQ, 0.05, 20);
        (_settings, _sampleRate) = (settings, sampleRate);
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        for (var band = 0; band < _settings.Bands; band++)
        {
            var hz = Draw.Logarithmic(random, _settings.MinHz, _settings.MaxHz);
            var gain = random.NextDouble(-_settings.MaxGainDb, _settings.MaxGainDb);
            var q = Draw.Logarithmic(random, _settings.MinQ, _settings.MaxQ);
            Biquad.Bell(Cascade.Within(hz, _sampleRate), _sampleRate, gain, q).Filter(window);
        }
        return true;
    }
}
