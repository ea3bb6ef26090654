using System.Runtime.CompilerServices;

namespace BirdResearch.Features;

/// <summary>
/// A recursive filter of second order, <c>y_t = b0 x_t + b1 x_(t-1) + b2 x_(t-2) - a1 y_(t-1) - a2 y_(t-2)</c>, in double. The formulas are those
/// of R. Bristow-Johnson's cookbook of audio equalisers.
/// </summary>
readonly record struct Biquad(double B0, double B1, double B2, double A1, double A2)
{
    /// <summary>Sections of a Butterworth low-pass of an even order, 3 dB down at the cut-off.</summary>
    public static Biquad[] LowPass(double hz, double sampleRate, int order) =>
        Butterworth(hz, sampleRate, order, cos => (1 - cos) / 2, cos => 1 - cos);

    /// <summary>Sections of a Butterworth high-pass of an even order, 3 dB down at the cut-off.</summary>
    public static Biquad[] HighPass(double hz, double sampleRate, int order) =>
        Butterworth(hz, sampleRate, order, cos => (1 + cos) / 2, cos => -(1 + cos));

    /// <summary>A bell around a frequency, of a gain in dB at its middle; Q is the middle over the width.</summary>
    public static Biquad Bell(double hz, double sampleRate, double gainDb, double q)
    {
        var (sin, cos) = Math.SinCos(2 * Math.PI * hz / sampleRate);
        var (a, alpha) = (Math.Pow(10, gainDb / 40), sin / (2 * q));
        return Of(1 + alpha * a, -2 * cos, 1 - alpha * a, 1 + alpha / a, -2 * cos, 1 - alpha / a);
    }

    /// <summary>Filters in place, from silence.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Filter(Span<float> sound)
    {
        var (b0, b1, b2, a1, a2) = (B0, B1, B2, A1, A2);
        var (s1, s2) = (0.0, 0.0);
        for (var begin = 0; begin < sound.Length; begin += 1024)
        {
            foreach (ref var sample in sound[begin..Math.Min(sound.Length, begin + 1024)])
            {
                var x = (double)sample;
                var y = b0 * x + s1;
                s1 = b1 * x - a1 * y + s2;
                s2 = b2 * x - a2 * y;
                sample = (float)y;
            }
            if (Math.Abs(s1) + Math.Abs(s2) < 1e-30) (s1, s2) = (0, 0);   // a dying echo would become denormal, which is slow
        }
    }

    // Pole pairs of a Butterworth filter of order n have the qualities 1 / (2 cos((2 k + 1) pi / (2 n))).
    static Biquad[] Butterworth(double hz, double sampleRate, int order, Func<double, double> outer, Func<double, double> middle)
    {
        var (sin, cos) = Math.SinCos(2 * Math.PI * hz / sampleRate);
        return [.. Enumerable.Range(0, order / 2).Select(k =>
        {
            var alpha = sin * Math.Cos((2 * k + 1) * Math.PI / (2 * order));
            return Of(outer(cos), middle(cos), outer(cos), 1 + alpha, -2 * cos, 1 - alpha);
        })];
    }

    static Biquad Of(double b0, double b1, double b2, double a0, double a1, double a2) => new(b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0);
}
