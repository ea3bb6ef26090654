using System.Numerics;

namespace BirdResearch.Kernels;

/// <summary>
/// Power spectra of several real signals at once, one per vector lane: every step is a plain vector operation on a row of lanes, without
/// shuffles. The real transform of size N is a complex one of N / 2 (radix 4, decimation in frequency, in place), taken apart
/// afterwards. A lane's result does not depend on the other lanes or on their number.
/// </summary>
public sealed unsafe class BatchedFft
{
    /// <summary>Smallest and largest size.</summary>
    public const int Smallest = 16, Largest = 8192;

    readonly int _half;
    readonly float[][] _twiddles;    // per pass, (w^j, w^2j, w^3j) for j = 1, 2, ...
    readonly float[] _unpacking;     // e^(-2 pi i k / N)
    readonly int[] _places;          // row pair in which output k ends up

    /// <param name="size">Length N of the real signals, a power of two.</param>
    public BatchedFft(int size)
    {
        if (!Takes(size)) throw new ArgumentException($"A batched FFT's size must be a power of two from {Smallest} to {Largest}, not {size}.");
        (Size, _half) = (size, size / 2);
        var passes = new List<float[]>();
        for (var n = _half; n > 4; n /= 4)
            passes.Add([.. Enumerable.Range(1, n / 4 - 1).SelectMany(j => (float[])[.. Root(j, n), .. Root(2 * j, n), .. Root(3 * j, n)])]);
        _twiddles = [.. passes];
        _unpacking = [.. Enumerable.Range(0, _half / 2 + 1).SelectMany(k => Root(k, size))];
        _places = [.. Enumerable.Range(0, _half).Select(k => Place(k, _half))];
    }

    /// <summary>Signals transformed at once.</summary>
    public static int Lanes => Vector<float>.Count;

    /// <summary>Length N of the signals.</summary>
    public int Size { get; }

    /// <summary>Whether there is a transform of that size.</summary>
    public static bool Takes(int size) => BitOperations.IsPow2(size) && size is >= Smallest and <= Largest;

    /// <summary>Four times the squared magnitudes (the factor is exact and costs nothing to take off later).</summary>
    /// <param name="rows">N rows of <see cref="Lanes"/> numbers: the samples, lane by lane; overwritten.</param>
    /// <param name="powers">N / 2 + 1 rows.</param>
    public void Powers(Span<float> rows, Span<float> powers)
    {
        if (rows.Length < Size * Lanes || powers.Length < (_half + 1) * Lanes)
            throw new ArgumentException($"A batched FFT of {Size} takes {Size} and {_half + 1} rows of {Lanes} numbers.");
        fixed (float* r = rows, p = powers) Powers(r, p);
    }

    internal void Powers(float* rows, float* powers)
    {
        Transform(rows, _half, 0);
        Unpack(rows, powers);
    }

    void Transform(float* rows, int n, int pass)
    {
        if (n < 4)
        {
            if (n == 2) Pair(rows);
            return;
        }
        var lanes = Vector<float>.Count;
        var step = n / 4 * 2 * lanes;
        Butterfly(rows, step);
        if (n == 4) return;
        fixed (float* first = _twiddles[pass])
        {
            var w = first;
            for (float* at = rows + 2 * lanes, end = rows + step; at < end; at += 2 * lanes, w += 6) Butterfly(at, step, w);
        }
        for (var part = 0; part < 4; part++) Transform(rows + part * step, n / 4, pass + 1);
    }

    static void Pair(float* rows)
    {
        var lanes = Vector<float>.Count;
        for (var part = 0; part < 2; part++, rows += lanes)
        {
            Vector<float> a = Vector.Load(rows), b = Vector.Load(rows + 2 * lanes);
            (a + b).Store(rows);
            (a - b).Store(rows + 2 * lanes);
        }
    }

    static void Butterfly(float* at, int step)
    {
        var lanes = Vector<float>.Count;
        float* re = at, im = at + lanes;
        Vector<float> r0 = Vector.Load(re), r1 = Vector.Load(re + step), r2 = Vector.Load(re + 2 * step), r3 = Vector.Load(re + 3 * step);
        Vector<float> i0 = Vector.Load(im), i1 = Vector.Load(im + step), i2 = Vector.Load(im + 2 * step), i3 = Vector.Load(im + 3 * step);
        Vector<float> sr = r0 + r2, dr = r0 - r2, tr = r1 + r3, er = r1 - r3;
        Vector<float> si = i0 + i2, di = i0 - i2, ti = i1 + i3, ei = i1 - i3;
        (sr + tr).Store(re);
        (si + ti).Store(im);
        (dr + ei).Store(re + step);
        (di - er).Store(im + step);
        (sr - tr).Store(re + 2 * step);
        (si - ti).Store(im + 2 * step);
        (dr - ei).Store(re + 3 * step);
        (di + er).Store(im + 3 * step);
    }

    static void Butterfly(float* at, int step, float* w)
    {
        var lanes = Vector<float>.Count;
        float* re = at, im = at + lanes;
        Vector<float> r0 = Vector.Load(re), r1 = Vector.Load(re + step), r2 = Vector.Load(re + 2 * step), r3 = Vector.Load(re + 3 * step);
        Vector<float> i0 = Vector.Load(im), i1 = Vector.Load(im + step), i2 = Vector.Load(im + 2 * step), i3 = Vector.Load(im + 3 * step);
        Vector<float> sr = r0 + r2, dr = r0 - r2, tr = r1 + r3, er = r1 - r3;
        Vector<float> si = i0 + i2, di = i0 - i2, ti = i1 + i3, ei = i1 - i3;
        (sr + tr).Store(re);
        (si + ti).Store(im);
        StoreTurned(re + step, dr + ei, di - er, w);
        StoreTurned(re + 2 * step, sr - tr, si - ti, w + 2);
        StoreTurned(re + 3 * step, dr - ei, di + er, w + 4);
    }

    static void StoreTurned(float* at, Vector<float> re, Vector<float> im, float* w)
    {
        Vector<float> wr = new(w[0]), wi = new(w[1]);
        Vector.FusedMultiplyAdd(re, wr, -(im * wi)).Store(at);
        Vector.FusedMultiplyAdd(re, wi, im * wr).Store(at + Vector<float>.Count);
    }

    // With Z the complex transform of even and odd samples, 2 X_k = E + w^k O and 2 X_(N/2 - k) = conj(E - w^k O), where
    // E = Z_k + conj Z_(N/2 - k) and O = (Z_k - conj Z_(N/2 - k)) / i.
    void Unpack(float* rows, float* powers)
    {
        var lanes = Vector<float>.Count;
        Vector<float> r = Vector.Load(rows), i = Vector.Load(rows + lanes), first = r + i + r + i, last = r - i + r - i;
        (first * first).Store(powers);
        (last * last).Store(powers + _half * lanes);
        for (var k = 1; k <= _half / 2; k++)
        {
            float* low = rows + _places[k] * 2 * lanes, high = rows + _places[_half - k] * 2 * lanes;
            Vector<float> a = Vector.Load(low), b = Vector.Load(low + lanes), c = Vector.Load(high), d = Vector.Load(high + lanes);
            Vector<float> er = a + c, ei = b - d, or = b + d, oi = c - a;
            Vector<float> wr = new(_unpacking[2 * k]), wi = new(_unpacking[2 * k + 1]);
            var tr = Vector.FusedMultiplyAdd(or, wr, -(oi * wi));
            var ti = Vector.FusedMultiplyAdd(or, wi, oi * wr);
            Vector<float> pr = er + tr, pi = ei + ti, qr = er - tr, qi = ei - ti;
            Vector.FusedMultiplyAdd(pr, pr, pi * pi).Store(powers + k * lanes);
            Vector.FusedMultiplyAdd(qr, qr, qi * qi).Store(powers + (_half - k) * lanes);
        }
    }

    static int Place(int k, int n)
    {
        if (n == 1) return 0;
        var radix = n == 2 ? 2 : 4;
        return k % radix * (n / radix) + Place(k / radix, n / radix);
    }

    static float[] Root(int k, int n) => [(float)Math.Cos(2 * Math.PI * k / n), (float)-Math.Sin(2 * Math.PI * k / n)];
}
