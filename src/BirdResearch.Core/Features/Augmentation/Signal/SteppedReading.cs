using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BirdResearch.Features;

/// <summary>
/// Reads a sound at any step: output sample i is the sound at the instant <c>start + i step</c>, by a sinc under a Kaiser window (60 dB), whose
/// cut-off falls with a step above 1. Flat up to 0.83 of the lower Nyquist frequency. For files see <c>Audio.Resampler</c>, which is finer and
/// takes five times as long.
/// </summary>
static class SteppedReading
{
    const int Phases = 512, Lobes = 20, Fine = 4096;
    const double Beta = 0.1102 * (60 - 8.7), Middle = 0.915;

    static readonly float[] Kaiser = [.. Enumerable.Range(0, Fine + 2).Select(i => (float)KaiserAt((double)i / Fine))];

    /// <summary>Fills the output; outside the sound there is silence, or the sound again where it goes around.</summary>
    public static void Read(ReadOnlySpan<float> sound, double start, double step, bool around, Span<float> output)
    {
        var half = (int)Math.Ceiling(Lobes * Math.Max(1, step));
        var stride = (2 * half + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
        var begin = (int)Math.Floor(start) - half + 1;
        var count = (int)Math.Ceiling(output.Length * step) + 2 * half + stride + 2;
        using var padded = new Rented(count);
        using var table = new Rented((Phases + 1) * stride);
        Copy(sound, begin, around, padded.Span);
        Fill(table.Span, half, stride, Middle / Math.Max(1, step));

        ref var x = ref MemoryMarshal.GetReference(padded.Span);
        ref var taps = ref MemoryMarshal.GetReference(table.Span);
        var origin = start - begin - half + 1;                    // of the first tap, from the start of the padded sound
        var i = 0;
        for (; i < output.Length - 1; i += 2)
        {
            ref var here = ref Taps(ref taps, origin + i * step, stride, out var at);
            ref var there = ref Taps(ref taps, origin + (i + 1) * step, stride, out var toAt);
            Vector<float> sum = Vector<float>.Zero, toSum = Vector<float>.Zero;
            for (nuint k = 0; k < (nuint)stride; k += (nuint)Vector<float>.Count)
            {
                sum = Vector.MultiplyAddEstimate(Vector.LoadUnsafe(ref Unsafe.Add(ref x, at), k), Vector.LoadUnsafe(ref here, k), sum);
                toSum = Vector.MultiplyAddEstimate(Vector.LoadUnsafe(ref Unsafe.Add(ref x, toAt), k), Vector.LoadUnsafe(ref there, k), toSum);
            }
            output[i] = Vector.Sum(sum);
            output[i + 1] = Vector.Sum(toSum);
        }
        if (i < output.Length)
        {
            ref var here = ref Taps(ref taps, origin + i * step, stride, out var at);
            var sum = Vector<float>.Zero;
            for (nuint k = 0; k < (nuint)stride; k += (nuint)Vector<float>.Count)
                sum = Vector.MultiplyAddEstimate(Vector.LoadUnsafe(ref Unsafe.Add(ref x, at), k), Vector.LoadUnsafe(ref here, k), sum);
            output[i] = Vector.Sum(sum);
        }
    }

    /// <summary>The row of the table next to an instant, and the place of its first sample.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ref float Taps(ref float table, double instant, int stride, out int at)
    {
        at = (int)instant;                                        // never negative
        return ref Unsafe.Add(ref table, (int)((instant - at) * Phases + 0.5) * stride);
    }

    static void Copy(ReadOnlySpan<float> sound, int begin, bool around, Span<float> padded)
    {
        if (!around)
        {
            padded.Clear();
            var (from, to) = (Math.Max(0, begin), Math.Min(sound.Length, begin + padded.Length));
            if (to > from) sound[from..to].CopyTo(padded[(from - begin)..]);
            return;
        }
        var at = (begin % sound.Length + sound.Length) % sound.Length;
        while (padded.Length > 0)
        {
            var part = Math.Min(padded.Length, sound.Length - at);
            sound.Slice(at, part).CopyTo(padded);
            padded = padded[part..];
            at = 0;
        }
    }

    // Row p holds the filter for an instant p / Phases after a sample; cutoff is a share of the Nyquist frequency.
    static void Fill(Span<float> table, int half, int stride, double cutoff)
    {
        table.Clear();
        for (var p = 0; p <= Phases; p++)
        {
            var row = table.Slice(p * stride, stride);
            var sum = 0.0;
            var fraction = (double)p / Phases;
            // sin(pi c (k - f)) by turning on from tap to tap.
            var (sin, cos) = Math.SinCos(Math.PI * cutoff * (1 - half - fraction));
            var (turnSin, turnCos) = Math.SinCos(Math.PI * cutoff);
            for (var k = 0; k < 2 * half; k++)
            {
                var t = k - (half - 1) - fraction;
                var u = Math.Abs(t) / half * Fine;
                var value = 0.0;
                if (u < Fine)
                {
                    var index = (int)u;
                    var window = Kaiser[index] + (u - index) * (Kaiser[index + 1] - Kaiser[index]);
                    value = window * (Math.Abs(t) < 1e-9 ? cutoff : sin / (Math.PI * t));
                }
                row[k] = (float)value;
                sum += value;
                (sin, cos) = (sin * turnCos + cos * turnSin, cos * turnCos - sin * turnSin);
            }
            var scale = (float)(1 / sum);
            for (var k = 0; k < 2 * half; k++) row[k] *= scale;
        }
    }

    static double KaiserAt(double u) => u >= 1 ? 0 : BesselI0(Beta * Math.Sqrt(1 - u * u)) / BesselI0(Beta);

    static double BesselI0(double x)
    {
        var (sum, term) = (1.0, 1.0);
        for (var k = 1; term > 1e-17 * sum; k++) sum += term *= x * x / (4.0 * k * k);
        return sum;
    }
}
