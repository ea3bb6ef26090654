using System.Collections.Concurrent;
using System.Numerics;

namespace BirdResearch.Kernels;

/// <summary>
/// The Fourier transform of one real signal of N samples through a complex one of N / 2, and back. A spectrum is N / 2 real and imaginary
/// parts; those of bin 0 are the two real numbers X_0 and X_(N/2).
/// </summary>
public sealed class RealFft
{
    static readonly ConcurrentDictionary<int, RealFft> Made = new();

    readonly ComplexFft _half;
    readonly float[] _cos, _sin;   // e^(-2 pi i k / N), k = 0 to N / 4

    RealFft(int size)
    {
        (Size, _half) = (size, ComplexFft.Of(size / 2));
        _cos = [.. Enumerable.Range(0, size / 4 + 1).Select(k => (float)Math.Cos(2 * Math.PI * k / size))];
        _sin = [.. Enumerable.Range(0, size / 4 + 1).Select(k => (float)-Math.Sin(2 * Math.PI * k / size))];
    }

    /// <summary>The transform of that size, a power of two from 4 on, made once.</summary>
    public static RealFft Of(int size) => BitOperations.IsPow2(size) && size is >= 4 and <= ComplexFft.Largest
        ? Made.GetOrAdd(size, s => new(s))
        : throw new ArgumentException($"A real Fourier transform's size must be a power of two from 4 to {ComplexFft.Largest}, not {size}.");

    /// <summary>Length N of the signal.</summary>
    public int Size { get; }

    /// <summary>Spectrum of a signal; samples after the last one given are zero.</summary>
    /// <param name="signal">At most N samples.</param>
    /// <param name="re">Receives N / 2 real parts.</param>
    /// <param name="im">Receives N / 2 imaginary parts.</param>
    /// <param name="scratch">N numbers, overwritten.</param>
    public void Forward(ReadOnlySpan<float> signal, Span<float> re, Span<float> im, Span<float> scratch)
    {
        var half = Size / 2;
        var pairs = signal.Length / 2;
        for (var i = 0; i < pairs; i++) (re[i], im[i]) = (signal[2 * i], signal[2 * i + 1]);
        re[pairs..half].Clear();
        im[pairs..half].Clear();
        if (signal.Length % 2 == 1) re[pairs] = signal[^1];
        _half.Forward(re[..half], im[..half], scratch);

        // With Z the transform of even samples plus i times odd ones: X_k = E + w^k O, X_(N/2 - k) = conj(E - w^k O),
        // where 2 E = Z_k + conj Z_(N/2 - k) and 2 i O = Z_k - conj Z_(N/2 - k).
        (re[0], im[0]) = (re[0] + im[0], re[0] - im[0]);
        for (var k = 1; k <= half / 2; k++)
        {
            float a = re[k], b = im[k], c = re[half - k], d = im[half - k];
            float er = (a + c) / 2, ei = (b - d) / 2, or = (b + d) / 2, oi = (c - a) / 2;
            float tr = or * _cos[k] - oi * _sin[k], ti = or * _sin[k] + oi * _cos[k];
            (re[k], im[k]) = (er + tr, ei + ti);
            (re[half - k], im[half - k]) = (er - tr, ti - ei);
        }
    }

    /// <summary>The signal of a spectrum, times N / 2; its first samples, as many as asked for. The spectrum is overwritten.</summary>
    public void Backward(Span<float> re, Span<float> im, Span<float> signal, Span<float> scratch)
    {
        var half = Size / 2;
        (re[0], im[0]) = ((re[0] + im[0]) / 2, (re[0] - im[0]) / 2);
        for (var k = 1; k <= half / 2; k++)
        {
            float a = re[k], b = im[k], c = re[half - k], d = im[half - k];
            float er = (a + c) / 2, ei = (b - d) / 2, tr = (a - c) / 2, ti = (b + d) / 2;      // E and w^k O
            float or = tr * _cos[k] + ti * _sin[k], oi = ti * _cos[k] - tr * _sin[k];
            (re[k], im[k]) = (er - oi, ei + or);                                               // E + i O
            (re[half - k], im[half - k]) = (er + oi, or - ei);
        }
        _half.Backward(re[..half], im[..half], scratch);
        var pairs = signal.Length / 2;
        for (var i = 0; i < pairs; i++) (signal[2 * i], signal[2 * i + 1]) = (re[i], im[i]);
        if (signal.Length % 2 == 1) signal[^1] = re[pairs];
    }
}
