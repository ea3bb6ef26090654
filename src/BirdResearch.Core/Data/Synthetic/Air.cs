using System.Runtime.CompilerServices;

namespace BirdResearch.Data;

/// <summary>What distance does to a sound's spectrum, and simple filters to hear it by.</summary>
static class Air
{
    /// <summary>Takes away high frequencies, in place: at 120 m through leaves 8 kHz loses about 12 dB more than 2 kHz.</summary>
    public static void Absorb(Span<float> sound, int sampleRate, double metres)
    {
        var corner = Math.Min(0.45 * sampleRate, 24_000 / Math.Sqrt(metres / 4));
        LowPass(sound, sampleRate, corner);
        LowPass(sound, sampleRate, corner);
    }

    /// <summary>What a one-pole filter with this corner in Hz keeps of its level from sample to sample.</summary>
    public static double Kept(double corner, int sampleRate) => Math.Exp(-2 * Math.PI * corner / sampleRate);

    /// <summary>One pole, 6 dB per octave above the corner, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]   // runs a few times only, each for long: no time to warm up
    public static void LowPass(Span<float> sound, int sampleRate, double corner)
    {
        var (keep, level) = (Kept(corner, sampleRate), 0.0);
        for (var i = 0; i < sound.Length; i++) sound[i] = (float)(level += (1 - keep) * (sound[i] - level));
    }

    /// <summary>A copy with what lies below the corner taken away, 12 dB per octave.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float[] HighPassed(ReadOnlySpan<float> sound, int sampleRate, double corner)
    {
        var (keep, a, b) = (Kept(corner, sampleRate), 0.0, 0.0);
        var passed = new float[sound.Length];
        for (var i = 0; i < sound.Length; i++)
        {
            a += (1 - keep) * (sound[i] - a);
            var once = sound[i] - a;
            b += (1 - keep) * (once - b);
            passed[i] = (float)(once - b);
        }
        return passed;
    }

    /// <summary>Mean square.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Power(ReadOnlySpan<float> sound)
    {
        var energy = 0.0;
        foreach (var sample in sound) energy += (double)sample * sample;
        return energy / Math.Max(1, sound.Length);
    }
}
