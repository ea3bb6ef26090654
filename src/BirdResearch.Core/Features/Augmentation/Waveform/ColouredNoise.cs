using System.Numerics;
using BirdResearch.Data;
using BirdResearch.Kernels;

namespace BirdResearch.Features;

/// <summary>
/// Adds noise of a colour, at a ratio of powers in dB drawn uniformly. Its spectrum has exactly the colour's slope from 20 Hz on, nothing
/// below, and random phases.
/// </summary>
public sealed class ColouredNoise : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "noise";

    const double LowestHz = 20;
    const int Angles = 4096, BitsEach = 12, EachDraw = 5;

    static readonly float[] Cos = [.. Enumerable.Range(0, Angles).Select(i => (float)Math.Cos(2 * Math.PI * (i + 0.5) / Angles))];
    static readonly float[] Sin = [.. Enumerable.Range(0, Angles).Select(i => (float)Math.Sin(2 * Math.PI * (i + 0.5) / Angles))];

    readonly NoiseSettings _settings;
    readonly IReadOnlyList<NoiseColour> _colours;
    readonly int _sampleRate;

    /// <param name="settings">How often, how loud and of which colours.</param>
    /// <param name="sampleRate">Of the windows, in Hz.</param>
    public ColouredNoise(NoiseSettings settings, int sampleRate) : base(Name, settings.Probability)
    {
        CheckRange("min_snr_db", settings.MinSnrDb, "max_snr_db", settings.MaxSnrDb, -60, 120);
        (_settings, _sampleRate, _colours) = (settings, sampleRate, NoiseColours.Named(settings.Colours));
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var snr = random.NextDouble(_settings.MinSnrDb, _settings.MaxSnrDb);
        var colour = _colours[random.NextInt(_colours.Count)];
        using var noise = new Rented(window.Length);
        Fill(noise.Span, colour, random);
        return Loudness.AddAtSnr(window, noise.Span, snr);
    }

    /// <summary>Noise of a colour, at no level in particular.</summary>
    void Fill(Span<float> noise, NoiseColour colour, CounterRandom random)
    {
        var size = Math.Max(16, (int)BitOperations.RoundUpToPowerOf2((uint)noise.Length));
        var half = size / 2;
        using var memory = new Rented(2 * size);
        Span<float> re = memory.Span[..half], im = memory.Span[half..size], scratch = memory.Span[size..];
        var lowest = Math.Clamp((int)Math.Ceiling(LowestHz * size / _sampleRate), 1, half - 1);
        re[..lowest].Clear();
        im[..lowest].Clear();
        var exponent = colour.Exponent();
        var (bits, left) = (0UL, 0);
        for (var k = lowest; k < half; k++)
        {
            if (left-- == 0) (bits, left) = (random.NextBits(), EachDraw - 1);
            var angle = (int)bits & (Angles - 1);
            bits >>= BitsEach;
            var share = (float)k / half;
            var amplitude = exponent switch { -2 => 1 / share, -1 => 1 / MathF.Sqrt(share), 1 => MathF.Sqrt(share), 2 => share, _ => 1f };
            (re[k], im[k]) = (amplitude * Cos[angle], amplitude * Sin[angle]);
        }
        RealFft.Of(size).Backward(re, im, noise, scratch);
    }
}
