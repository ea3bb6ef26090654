using System.Runtime.CompilerServices;

namespace BirdResearch.Data;

/// <summary>One note of a synthetic species: a tone that follows a contour, with harmonics and modulation.</summary>
/// <param name="Seconds">Length.</param>
/// <param name="Pitch">Frequency in Hz that the contour is relative to.</param>
/// <param name="Contour">Octaves above <paramref name="Pitch"/> at even steps over the note, joined smoothly.</param>
/// <param name="Harmonics">Amplitude of the fundamental and its multiples.</param>
/// <param name="Attack">Share of the note over which it swells.</param>
sealed record Syllable(double Seconds, double Pitch, double[] Contour, double[] Harmonics, double Attack)
{
    /// <summary>Frequency modulation: cycles per second.</summary>
    public double WobbleRate { get; init; }

    /// <summary>Frequency modulation: depth as a share of the frequency.</summary>
    public double WobbleDepth { get; init; }

    /// <summary>Amplitude modulation: cycles per second.</summary>
    public double PulseRate { get; init; }

    /// <summary>Amplitude modulation: 0 none, 1 down to silence.</summary>
    public double PulseDepth { get; init; }

    /// <summary>Random change of the frequency as a share of it: hoarseness.</summary>
    public double Roughness { get; init; }

    /// <summary>Adds the note to the start of a track, some <paramref name="octaves"/> higher and faster by a factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]   // runs a few times only, each for long: no time to warm up
    public void AddTo(Span<float> track, int sampleRate, double octaves, double tempo, double gain, CounterRandom random)
    {
        var length = Math.Min(LengthAt(sampleRate, tempo), track.Length);
        var (phase, rough) = (random.NextDouble(0, 2 * Math.PI), 0.0);
        var perSample = 2 * Math.PI / sampleRate;
        var wobble = new Turning(WobbleRate * tempo * perSample, random.NextDouble(0, 2 * Math.PI));
        var pulse = new Turning(PulseRate * tempo * perSample, 0);
        var noise = new WhiteNoise(random);
        var (attack, release) = (Math.Max(Attack * length, 0.002 * sampleRate), Math.Max(0.35 * (1 - Attack) * length, 0.004 * sampleRate));
        var scale = Pitch * Math.Pow(2, octaves);
        var (ceiling, fade) = (0.47 * sampleRate, 1 / (0.05 * sampleRate));
        var (frequency, slope) = (0.0, 0.0);
        const int step = 16;
        for (var i = 0; i < length; i++)
        {
            if (i % step == 0)
            {
                frequency = scale * Math.Pow(2, ContourAt((double)i / length));
                slope = (scale * Math.Pow(2, ContourAt((double)(i + step) / length)) - frequency) / step;
            }
            frequency += slope;
            var f = frequency;
            if (WobbleDepth > 0) f *= 1 + WobbleDepth * wobble.Sin;
            if (Roughness > 0) f *= 1 + Roughness * (rough += 0.2 * (3 * noise.Next() - rough));
            phase += f * perSample;
            if (phase > Math.PI) phase -= 2 * Math.PI;   // sines of small angles are quicker
            wobble.Step();
            pulse.Step();

            // sin(n x) = 2 cos(x) sin((n - 1) x) - sin((n - 2) x)
            var (sin, cos) = Math.SinCos(phase);
            var (before, current, sum) = (0.0, sin, 0.0);
            for (var n = 1; n <= Harmonics.Length && n * f < ceiling; n++)
            {
                sum += Harmonics[n - 1] * Math.Min(1, (ceiling - n * f) * fade) * current;
                (before, current) = (current, 2 * cos * current - before);
            }
            var level = i < attack ? Rise(i / attack) : length - i < release ? Rise((length - i) / release) : 1;
            if (PulseDepth > 0) level *= 1 - PulseDepth * (0.5 - 0.5 * pulse.Cos);
            track[i] += (float)(gain * level * sum);
        }
    }

    /// <summary>Length in samples at a tempo.</summary>
    public int LengthAt(int sampleRate, double tempo) => (int)(Seconds / tempo * sampleRate);

    static double Rise(double share) => 0.5 - 0.5 * Math.Cos(Math.PI * Math.Min(1, share));

    double ContourAt(double share)
    {
        var at = Math.Min(share, 1) * (Contour.Length - 1);
        var left = Math.Min((int)at, Contour.Length - 2);
        var t = at - left;
        double Point(int i) => Contour[Math.Clamp(i, 0, Contour.Length - 1)];
        var (a, b, c, d) = (Point(left - 1), Point(left), Point(left + 1), Point(left + 2));
        return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));   // Catmull and Rom
    }
}
