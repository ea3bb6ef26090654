using System.Numerics;
using System.Runtime.InteropServices;

namespace BirdResearch.Features;

/// <summary>Power and level of sound.</summary>
static class Loudness
{
    /// <summary>Mean power below which a sound counts as digital silence: -120 dB of full scale.</summary>
    public const double Silence = 1e-12;

    /// <summary>The factor on samples that a gain in dB is.</summary>
    public static float Factor(double decibels) => (float)Math.Pow(10, decibels / 20);

    /// <summary>Mean square of the samples.</summary>
    public static double Power(ReadOnlySpan<float> sound)
    {
        var sum = 0.0;
        for (var at = 0; at < sound.Length; at += 4096) sum += SumOfSquares(sound[at..Math.Min(sound.Length, at + 4096)]);
        return sum / Math.Max(1, sound.Length);
    }

    /// <summary>Multiplies every sample.</summary>
    public static void Scale(Span<float> sound, float factor)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(sound);
        for (var i = 0; i < vectors.Length; i++) vectors[i] *= factor;
        for (var i = vectors.Length * Vector<float>.Count; i < sound.Length; i++) sound[i] *= factor;
    }

    /// <summary>Adds a sound times a factor.</summary>
    public static void Add(Span<float> sound, ReadOnlySpan<float> other, float factor)
    {
        var a = MemoryMarshal.Cast<float, Vector<float>>(sound);
        var b = MemoryMarshal.Cast<float, Vector<float>>(other);
        for (var i = 0; i < a.Length; i++) a[i] += b[i] * factor;
        for (var i = a.Length * Vector<float>.Count; i < sound.Length; i++) sound[i] += other[i] * factor;
    }

    /// <summary>Adds noise so that the sound's power over the noise's is a ratio in dB; false where either is silent, so that no ratio is.</summary>
    public static bool AddAtSnr(Span<float> sound, ReadOnlySpan<float> noise, double snrDb)
    {
        var (loud, faint) = (Power(sound), Power(noise));
        if (!(loud > Silence && faint > Silence)) return false;
        Add(sound, noise, (float)Math.Sqrt(loud / faint * Math.Pow(10, -snrDb / 10)));
        return true;
    }

    static float SumOfSquares(ReadOnlySpan<float> sound)
    {
        var vectors = MemoryMarshal.Cast<float, Vector<float>>(sound);
        var sums = Vector<float>.Zero;
        foreach (var vector in vectors) sums += vector * vector;
        var sum = Vector.Sum(sums);
        for (var i = vectors.Length * Vector<float>.Count; i < sound.Length; i++) sum += sound[i] * sound[i];
        return sum;
    }
}
