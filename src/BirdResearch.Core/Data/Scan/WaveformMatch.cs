using System.Numerics;
using System.Runtime.InteropServices;
using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>Whether two stretches are one sound by their waveforms: what a fingerprint only suggests.</summary>
static class WaveformMatch
{
    const double StretchSeconds = 3, MarginSeconds = 0.06;
    const float Emphasis = 0.95f;

    /// <summary>
    /// The largest absolute correlation, 0 to 1, of three stretches of a match (3 s at most each) over shifts of 60 ms to either side, treble
    /// emphasised so that rumble does not decide. One stretch is enough: in the others a bird may call on one side only.
    /// </summary>
    public static double Correlation(string first, string second, FingerprintMatch match)
    {
        var (from, to) = (match.From * Fingerprint.HopSeconds, (match.To + 1) * Fingerprint.HopSeconds + 0.25);
        var seconds = Math.Min(StretchSeconds, to - from);
        return new[] { from, (from + to - seconds) / 2, to - seconds }.Distinct()
            .Max(start => At(first, start, second, start - match.Offset * Fingerprint.HopSeconds - MarginSeconds, seconds));
    }

    static double At(string first, double from, string second, double start, double seconds)
    {
        var x = Emphasised(AudioFile.Read(first, from, seconds, Fingerprint.SampleRate));
        var y = Emphasised(AudioFile.Read(second, Math.Max(0, start), seconds + 2 * MarginSeconds + Math.Min(0, start), Fingerprint.SampleRate));
        if (start < 0) y = [.. new float[(int)Math.Round(-start * Fingerprint.SampleRate)], .. y];
        return Largest(x, y, (int)Math.Round(2 * MarginSeconds * Fingerprint.SampleRate));
    }

    /// <summary>The same for two files below a root; 0 where one of them cannot be read any more.</summary>
    public static double CorrelationOrZero(string root, string first, string second, FingerprintMatch match)
    {
        try
        {
            return Correlation(Path.Combine(root, first), Path.Combine(root, second), match);
        }
        catch (AudioFileException)
        {
            return 0;
        }
    }

    /// <summary>max over k of |Σ x_i y_(i+k)| / sqrt(Σ x_i² Σ y_(i+k)²) over the i where both are there.</summary>
    public static double Largest(ReadOnlySpan<float> x, ReadOnlySpan<float> y, int shifts)
    {
        var best = 0.0;
        var (energyOfX, energyOfY) = (Sums(x), Sums(y));
        for (var k = 0; k <= shifts && k < y.Length; k++)
        {
            var count = Math.Min(x.Length, y.Length - k);
            if (count < Fingerprint.FrameSamples) break;
            var (xx, yy) = (energyOfX[count], energyOfY[k + count] - energyOfY[k]);
            if (xx > 0 && yy > 0) best = Math.Max(best, Math.Abs(Dot(x[..count], y.Slice(k, count))) / Math.Sqrt(xx * yy));
        }
        return best;
    }

    /// <summary>Sum of squares of the first n samples, for every n.</summary>
    static double[] Sums(ReadOnlySpan<float> x)
    {
        var sums = new double[x.Length + 1];
        for (var i = 0; i < x.Length; i++) sums[i + 1] = sums[i] + (double)x[i] * x[i];
        return sums;
    }

    static float[] Emphasised(Waveform sound)
    {
        var (x, y) = (sound.Samples, new float[sound.Samples.Length]);
        for (var i = 1; i < x.Length; i++) y[i] = x[i] - Emphasis * x[i - 1];
        return y;
    }

    // In pieces, so that single precision does not add up its own rounding over seconds.
    static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var total = 0.0;
        for (var at = 0; at < a.Length; at += 4096)
        {
            var p = a[at..Math.Min(a.Length, at + 4096)];
            var q = b[at..Math.Min(a.Length, at + 4096)];
            var u = MemoryMarshal.Cast<float, Vector<float>>(p);
            var v = MemoryMarshal.Cast<float, Vector<float>>(q);
            var sum = Vector<float>.Zero;
            for (var i = 0; i < u.Length; i++) sum += u[i] * v[i];
            total += Vector.Sum(sum);
            for (var i = u.Length * Vector<float>.Count; i < p.Length; i++) total += p[i] * q[i];
        }
        return total;
    }
}
