using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Takes away what lies above a cut-off drawn evenly on a logarithmic scale, by a Butterworth filter. A cut-off above 0.45 of the sample rate is taken as that.
/// </summary>
public sealed class LowPass : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "low-pass";

    readonly LowPassSettings _settings;
    readonly int _sampleRate;

    /// <param name="settings">How often, the range of cut-offs, and how steep.</param>
    /// <param name="sampleRate">Of the windows, in Hz.</param>
    public LowPass(LowPassSettings settings, int sampleRate) : base(Name, settings.Probability)
    {
        CheckRange("min_hz", settings.MinHz, "max_hz", settings.MaxHz, 1, 192_000);
        Cascade.CheckOrder($"{Path}.order", settings.Order);
        (_settings, _sampleRate) = (settings, sampleRate);
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var hz = Draw.Logarithmic(random, _settings.MinHz, _settings.MaxHz);
        Cascade.Filter(Biquad.LowPass(Cascade.Within(hz, _sampleRate), _sampleRate, _settings.Order), window);
        return true;
    }
}
