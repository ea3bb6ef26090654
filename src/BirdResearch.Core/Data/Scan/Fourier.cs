using System.Numerics;

namespace BirdResearch.Data;

/// <summary>A plain fast Fourier transform (radix 2, in place) for the fingerprint; this floor has no torch and needs no more speed.</summary>
sealed class Fourier
{
    readonly int _size;
    readonly int[] _reversed;
    readonly float[] _cos, _sin;

    /// <summary>A transform of <paramref name="size"/> points, a power of two.</summary>
    public Fourier(int size)
    {
        if (size < 2 || !BitOperations.IsPow2(size)) throw new ArgumentOutOfRangeException(nameof(size), size, "A power of two is needed.");
        _size = size;
        (_reversed, _cos, _sin) = (new int[size], new float[size / 2], new float[size / 2]);
        var bits = BitOperations.Log2((uint)size);
        for (var i = 0; i < size; i++)
            for (var b = 0; b < bits; b++)
                if ((i >> b & 1) != 0) _reversed[i] |= 1 << (bits - 1 - b);
        for (var i = 0; i < size / 2; i++)
            (_cos[i], _sin[i]) = ((float)Math.Cos(2 * Math.PI * i / size), (float)-Math.Sin(2 * Math.PI * i / size));
    }

    /// <summary>X_k = Σ_n x_n exp(-2πi kn / N).</summary>
    public void Transform(Span<float> real, Span<float> imaginary)
    {
        for (var i = 0; i < _size; i++)
        {
            var j = _reversed[i];
            if (j <= i) continue;
            (real[i], real[j]) = (real[j], real[i]);
            (imaginary[i], imaginary[j]) = (imaginary[j], imaginary[i]);
        }
        for (var half = 1; half < _size; half *= 2)
        {
            var step = _size / (2 * half);
            for (var start = 0; start < _size; start += 2 * half)
                for (var k = 0; k < half; k++)
                {
                    var (upper, lower) = (start + k, start + k + half);
                    var (c, s) = (_cos[k * step], _sin[k * step]);
                    var (re, im) = (real[lower] * c - imaginary[lower] * s, real[lower] * s + imaginary[lower] * c);
                    (real[lower], imaginary[lower]) = (real[upper] - re, imaginary[upper] - im);
                    (real[upper], imaginary[upper]) = (real[upper] + re, imaginary[upper] + im);
                }
        }
    }
}
