namespace BirdResearch.Data;

/// <summary>Power spectrum of real frames of a power-of-two length N under a Hann window: radix 2 over N / 2 complex pairs.</summary>
sealed class PowerSpectrum
{
    readonly int _half;
    readonly float[] _window, _cos, _sin, _re, _im;
    readonly int[] _swap;

    public PowerSpectrum(int length)
    {
        if (length < 4 || !int.IsPow2(length)) throw new ArgumentOutOfRangeException(nameof(length), length, "A power of two, 4 or more.");
        (Length, _half) = (length, length / 2);
        _window = [.. Enumerable.Range(0, length).Select(i => (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * i / length)))];
        _cos = [.. Enumerable.Range(0, _half).Select(k => (float)Math.Cos(2 * Math.PI * k / length))];
        _sin = [.. Enumerable.Range(0, _half).Select(k => (float)-Math.Sin(2 * Math.PI * k / length))];
        (_re, _im, _swap) = (new float[_half], new float[_half], new int[_half]);
        for (var i = 1; i < _half; i++) _swap[i] = (_swap[i >> 1] >> 1) | ((i & 1) == 1 ? _half >> 1 : 0);
    }

    /// <summary>Samples of a frame.</summary>
    public int Length { get; }

    /// <summary>Squared magnitudes of bins 0 .. N / 2 - 1 of a frame.</summary>
    public void Of(ReadOnlySpan<float> frame, Span<float> power)
    {
        var (re, im) = (_re, _im);
        for (var i = 0; i < _half; i++)
        {
            var at = _swap[i];
            (re[i], im[i]) = (frame[2 * at] * _window[2 * at], frame[2 * at + 1] * _window[2 * at + 1]);
        }
        for (var size = 1; size < _half; size <<= 1)
        {
            var stride = _half / size;   // in the table of N-th roots: 2 * (N / 2) / (2 * size)
            for (var start = 0; start < _half; start += 2 * size)
                for (var k = 0; k < size; k++)
                {
                    var (a, b) = (start + k, start + k + size);
                    var (c, s) = (_cos[k * stride], _sin[k * stride]);
                    var (x, y) = (re[b] * c - im[b] * s, re[b] * s + im[b] * c);
                    (re[b], im[b]) = (re[a] - x, im[a] - y);
                    (re[a], im[a]) = (re[a] + x, im[a] + y);
                }
        }
        for (var k = 0; k < _half; k++)
        {
            // X[k] = E[k] + w^k O[k], with E and O taken out of the transform of even + i odd.
            var m = (_half - k) & (_half - 1);
            var (er, ei) = (0.5f * (re[k] + re[m]), 0.5f * (im[k] - im[m]));
            var (or, oi) = (0.5f * (im[k] + im[m]), -0.5f * (re[k] - re[m]));
            var (x, y) = (er + _cos[k] * or - _sin[k] * oi, ei + _cos[k] * oi + _sin[k] * or);
            power[k] = x * x + y * y;
        }
    }
}
