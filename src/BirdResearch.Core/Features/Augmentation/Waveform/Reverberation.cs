using System.Numerics;
using BirdResearch.Data;
using BirdResearch.Kernels;

namespace BirdResearch.Features;

/// <summary>
/// The answer of a place: noise that dies away exponentially (Moorer 1979), begins 5 to 30 ms after the sound and falls by 60 dB within a time
/// drawn uniformly. The room gives a share, drawn uniformly, of the whole power, which stays what it was.
/// </summary>
public sealed class Reverberation : WindowAugmentation
{
    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public const string Name = "reverberation";

    const double MinDelay = 0.005, MaxDelay = 0.03;

    readonly ReverberationSettings _settings;
    readonly int _sampleRate;

    /// <param name="settings">How often, how long and how much.</param>
    /// <param name="sampleRate">Of the windows, in Hz.</param>
    public Reverberation(ReverberationSettings settings, int sampleRate) : base(Name, settings.Probability)
    {
        CheckRange("min_rt60", settings.MinRt60, "max_rt60", settings.MaxRt60, 0.01, 10);
        CheckRange("min_wet", settings.MinWet, "max_wet", settings.MaxWet, 0, 1);
        (_settings, _sampleRate) = (settings, sampleRate);
    }

    /// <inheritdoc/>
    protected override bool Change(SampleKey key, CounterRandom random, Span<float> window)
    {
        var rt60 = random.NextDouble(_settings.MinRt60, _settings.MaxRt60);
        var wet = random.NextDouble(_settings.MinWet, _settings.MaxWet);
        var delay = (int)(random.NextDouble(MinDelay, MaxDelay) * _sampleRate);
        using var answer = new Rented(Math.Min(window.Length, (int)(rt60 * _sampleRate) + 1));
        NormalNoise.Fill(answer.Span, random);
        Decay(answer.Span, Math.Pow(10, -3 / (rt60 * _sampleRate)));

        using var room = new Rented(window.Length);
        room.Span.Clear();
        if (delay < window.Length) Convolve(window[..^delay], answer.Span, room.Span[delay..]);
        var (dry, echo) = (Loudness.Power(window), Loudness.Power(room.Span));
        if (!(dry > Loudness.Silence && echo > 0)) return false;
        Loudness.Scale(window, (float)Math.Sqrt(1 - wet));
        Loudness.Add(window, room.Span, (float)Math.Sqrt(wet * dry / echo));
        return true;
    }

    static void Decay(Span<float> answer, double perSample)
    {
        var (level, step) = (1.0, Math.Pow(perSample, 8));
        for (var at = 0; at < answer.Length; at += 8, level *= step)
        {
            var here = level;
            foreach (ref var sample in answer[at..Math.Min(answer.Length, at + 8)])
            {
                sample *= (float)here;
                here *= perSample;
            }
        }
    }

    /// <summary>The first samples of x * h, by overlap and save in blocks of four answers or more.</summary>
    static void Convolve(ReadOnlySpan<float> x, ReadOnlySpan<float> h, Span<float> y)
    {
        var size = Math.Clamp((int)BitOperations.RoundUpToPowerOf2((uint)(4 * h.Length)), 1024, (int)BitOperations.RoundUpToPowerOf2((uint)(x.Length + h.Length)));
        var (fft, half, fresh) = (RealFft.Of(size), size / 2, size - h.Length + 1);
        using var memory = new Rented(4 * size);
        var numbers = memory.Span;
        Span<float> hRe = numbers[..half], hIm = numbers[half..size], re = numbers[size..(size + half)], im = numbers[(size + half)..(2 * size)];
        Span<float> block = numbers[(2 * size)..(3 * size)], scratch = numbers[(3 * size)..];
        fft.Forward(h, hRe, hIm, scratch);
        for (var at = 0; at < y.Length; at += fresh)
        {
            var from = at - (h.Length - 1);
            block.Clear();
            var (first, end) = (Math.Max(0, from), Math.Min(x.Length, from + size));
            x[first..end].CopyTo(block[(first - from)..]);
            fft.Forward(block, re, im, scratch);
            (re[0], im[0]) = (re[0] * hRe[0], im[0] * hIm[0]);
            for (var k = 1; k < half; k++) (re[k], im[k]) = (re[k] * hRe[k] - im[k] * hIm[k], re[k] * hIm[k] + im[k] * hRe[k]);
            fft.Backward(re, im, block, scratch);
            block.Slice(h.Length - 1, Math.Min(fresh, y.Length - at)).CopyTo(y[at..]);
        }
    }
}
