using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace BirdResearch.Kernels;

/// <summary>
/// The Fourier transform of one complex signal of any power of two, without torch: Stockham's autosort algorithm, radix 4, with real and
/// imaginary parts apart. Any number of threads may use one; it keeps only tables. (Of many short signals at once, see <see cref="BatchedFft"/>.)
/// </summary>
public sealed class ComplexFft
{
    /// <summary>Largest size.</summary>
    public const int Largest = 1 << 24;

    static readonly ConcurrentDictionary<int, ComplexFft> Made = new();

    readonly float[][] _cos, _sin;   // per pass: w^p, w^2p and w^3p, each n / 4 long, w = e^(-2 pi i / n)

    ComplexFft(int size)
    {
        Size = size;
        var (cosines, sines) = (new List<float[]>(), new List<float[]>());
        for (var n = size; n >= 4; n /= 4)
        {
            var quarter = n / 4;
            var (cos, sin) = (new float[3 * quarter], new float[3 * quarter]);
            for (var power = 1; power <= 3; power++)
                for (var p = 0; p < quarter; p++)
                {
                    var (s, c) = Math.SinCos(-2 * Math.PI * power * p / n);
                    cos[(power - 1) * quarter + p] = (float)c;
                    sin[(power - 1) * quarter + p] = (float)s;
                }
            cosines.Add(cos);
            sines.Add(sin);
        }
        (_cos, _sin) = ([.. cosines], [.. sines]);
    }

    /// <summary>The transform of that size, made once.</summary>
    public static ComplexFft Of(int size) => BitOperations.IsPow2(size) && size is >= 1 and <= Largest
        ? Made.GetOrAdd(size, s => new(s))
        : throw new ArgumentException($"A Fourier transform's size must be a power of two up to {Largest}, not {size}.");

    /// <summary>Length of the signal.</summary>
    public int Size { get; }

    /// <summary>X_k = sum_t x_t e^(-2 pi i k t / N), in place.</summary>
    /// <param name="re">N real parts.</param>
    /// <param name="im">N imaginary parts.</param>
    /// <param name="scratch">2 N numbers, overwritten.</param>
    public void Forward(Span<float> re, Span<float> im, Span<float> scratch)
    {
        if (re.Length != Size || im.Length != Size || scratch.Length < 2 * Size)
            throw new ArgumentException($"A Fourier transform of {Size} takes {Size} real and imaginary parts and {2 * Size} numbers of scratch.");
        ref float xr = ref MemoryMarshal.GetReference(re), xi = ref MemoryMarshal.GetReference(im);
        ref float yr = ref MemoryMarshal.GetReference(scratch), yi = ref Unsafe.Add(ref yr, Size);
        var (stride, pass, moved) = (1, 0, false);
        for (var n = Size; n > 1; n /= 4, stride *= 4, pass++)
        {
            if (n == 2) Two(ref xr, ref xi, ref yr, ref yi, stride);
            else if (stride == 1) FirstFour(ref xr, ref xi, ref yr, ref yi, n / 4, _cos[pass], _sin[pass]);
            else if (stride >= Vector<float>.Count) Four(ref xr, ref xi, ref yr, ref yi, n / 4, stride, _cos[pass], _sin[pass]);
            else NarrowFour(ref xr, ref xi, ref yr, ref yi, n / 4, stride, _cos[pass], _sin[pass]);
            ref var keepRe = ref xr;
            ref var keepIm = ref xi;
            xr = ref yr;
            xi = ref yi;
            yr = ref keepRe;
            yi = ref keepIm;
            moved = !moved;
        }
        if (!moved) return;
        scratch[..Size].CopyTo(re);
        scratch[Size..(2 * Size)].CopyTo(im);
    }

    /// <summary>x_t = sum_k X_k e^(2 pi i k t / N), in place, without the division by N.</summary>
    public void Backward(Span<float> re, Span<float> im, Span<float> scratch) => Forward(im, re, scratch);   // conj F conj swaps the parts

    static void Two(ref float xr, ref float xi, ref float yr, ref float yi, int stride)
    {
        for (var q = 0; q < stride; q++)
        {
            float ar = Unsafe.Add(ref xr, q), ai = Unsafe.Add(ref xi, q), br = Unsafe.Add(ref xr, q + stride), bi = Unsafe.Add(ref xi, q + stride);
            (Unsafe.Add(ref yr, q), Unsafe.Add(ref yi, q)) = (ar + br, ai + bi);
            (Unsafe.Add(ref yr, q + stride), Unsafe.Add(ref yi, q + stride)) = (ar - br, ai - bi);
        }
    }

    /// <summary>The pass of stride 1: four neighbouring butterflies at a time, their results turned from columns to rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void FirstFour(ref float xr, ref float xi, ref float yr, ref float yi, int quarter, float[] cos, float[] sin)
    {
        var p = 0;
        if (Sse.IsSupported)
        {
            ref float c = ref MemoryMarshal.GetArrayDataReference(cos), s = ref MemoryMarshal.GetArrayDataReference(sin);
            for (; p <= quarter - 4; p += 4)
            {
                Vector128<float> ar = Load(ref xr, p), ai = Load(ref xi, p), br = Load(ref xr, p + quarter), bi = Load(ref xi, p + quarter);
                Vector128<float> cr = Load(ref xr, p + 2 * quarter), ci = Load(ref xi, p + 2 * quarter);
                Vector128<float> dr = Load(ref xr, p + 3 * quarter), di = Load(ref xi, p + 3 * quarter);
                Vector128<float> sr = ar + cr, si = ai + ci, tr = br + dr, ti = bi + di, ur = ar - cr, ui = ai - ci, vr = br - dr, vi = bi - di;
                Vector128<float> c1 = Load(ref c, p), s1 = Load(ref s, p), c2 = Load(ref c, p + quarter), s2 = Load(ref s, p + quarter);
                Vector128<float> c3 = Load(ref c, p + 2 * quarter), s3 = Load(ref s, p + 2 * quarter);
                Vector128<float> er = ur + vi, ei = ui - vr, fr = sr - tr, fi = si - ti, gr = ur - vi, gi = ui + vr;
                Turn(ref yr, 4 * p, sr + tr, er * c1 - ei * s1, fr * c2 - fi * s2, gr * c3 - gi * s3);
                Turn(ref yi, 4 * p, si + ti, er * s1 + ei * c1, fr * s2 + fi * c2, gr * s3 + gi * c3);
            }
        }
        for (; p < quarter; p++) One(ref xr, ref xi, ref yr, ref yi, quarter, 1, p, 0, cos, sin);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector128<float> Load(ref float at, int index) => Vector128.LoadUnsafe(ref at, (nuint)index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Turn(ref float to, int at, Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        Vector128<float> ab = Sse.UnpackLow(a, b), cd = Sse.UnpackLow(c, d), ef = Sse.UnpackHigh(a, b), gh = Sse.UnpackHigh(c, d);
        Sse.MoveLowToHigh(ab, cd).StoreUnsafe(ref to, (nuint)at);
        Sse.MoveHighToLow(cd, ab).StoreUnsafe(ref to, (nuint)(at + 4));
        Sse.MoveLowToHigh(ef, gh).StoreUnsafe(ref to, (nuint)(at + 8));
        Sse.MoveHighToLow(gh, ef).StoreUnsafe(ref to, (nuint)(at + 12));
    }

    /// <summary>A pass whose stride is shorter than the widest vector: 4 at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void NarrowFour(ref float xr, ref float xi, ref float yr, ref float yi, int quarter, int stride, float[] cos, float[] sin)
    {
        var m = quarter * stride;
        for (var p = 0; p < quarter; p++)
        {
            float c1 = cos[p], s1 = sin[p], c2 = cos[quarter + p], s2 = sin[quarter + p], c3 = cos[2 * quarter + p], s3 = sin[2 * quarter + p];
            for (var q = 0; q < stride; q += 4)
            {
                int at = q + stride * p, to = q + 4 * stride * p;
                Vector128<float> ar = Load(ref xr, at), ai = Load(ref xi, at), br = Load(ref xr, at + m), bi = Load(ref xi, at + m);
                Vector128<float> cr = Load(ref xr, at + 2 * m), ci = Load(ref xi, at + 2 * m), dr = Load(ref xr, at + 3 * m), di = Load(ref xi, at + 3 * m);
                Vector128<float> sr = ar + cr, si = ai + ci, tr = br + dr, ti = bi + di, ur = ar - cr, ui = ai - ci, vr = br - dr, vi = bi - di;
                Vector128<float> er = ur + vi, ei = ui - vr, fr = sr - tr, fi = si - ti, gr = ur - vi, gi = ui + vr;
                (sr + tr).StoreUnsafe(ref yr, (nuint)to);
                (si + ti).StoreUnsafe(ref yi, (nuint)to);
                (er * c1 - ei * s1).StoreUnsafe(ref yr, (nuint)(to + stride));
                (er * s1 + ei * c1).StoreUnsafe(ref yi, (nuint)(to + stride));
                (fr * c2 - fi * s2).StoreUnsafe(ref yr, (nuint)(to + 2 * stride));
                (fr * s2 + fi * c2).StoreUnsafe(ref yi, (nuint)(to + 2 * stride));
                (gr * c3 - gi * s3).StoreUnsafe(ref yr, (nuint)(to + 3 * stride));
                (gr * s3 + gi * c3).StoreUnsafe(ref yi, (nuint)(to + 3 * stride));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Four(ref float xr, ref float xi, ref float yr, ref float yi, int quarter, int stride, float[] cos, float[] sin)
    {
        var m = quarter * stride;
        for (var p = 0; p < quarter; p++)
        {
            Vector<float> c1 = new(cos[p]), s1 = new(sin[p]), c2 = new(cos[quarter + p]), s2 = new(sin[quarter + p]);
            Vector<float> c3 = new(cos[2 * quarter + p]), s3 = new(sin[2 * quarter + p]);
            for (var q = 0; q < stride; q += Vector<float>.Count)
            {
                int at = q + stride * p, to = q + 4 * stride * p;
                Vector<float> ar = Wide(ref xr, at), ai = Wide(ref xi, at), br = Wide(ref xr, at + m), bi = Wide(ref xi, at + m);
                Vector<float> cr = Wide(ref xr, at + 2 * m), ci = Wide(ref xi, at + 2 * m), dr = Wide(ref xr, at + 3 * m), di = Wide(ref xi, at + 3 * m);
                Vector<float> sr = ar + cr, si = ai + ci, tr = br + dr, ti = bi + di, ur = ar - cr, ui = ai - ci, vr = br - dr, vi = bi - di;
                Vector<float> er = ur + vi, ei = ui - vr, fr = sr - tr, fi = si - ti, gr = ur - vi, gi = ui + vr;
                (sr + tr).StoreUnsafe(ref yr, (nuint)to);
                (si + ti).StoreUnsafe(ref yi, (nuint)to);
                (er * c1 - ei * s1).StoreUnsafe(ref yr, (nuint)(to + stride));
                (er * s1 + ei * c1).StoreUnsafe(ref yi, (nuint)(to + stride));
                (fr * c2 - fi * s2).StoreUnsafe(ref yr, (nuint)(to + 2 * stride));
                (fr * s2 + fi * c2).StoreUnsafe(ref yi, (nuint)(to + 2 * stride));
                (gr * c3 - gi * s3).StoreUnsafe(ref yr, (nuint)(to + 3 * stride));
                (gr * s3 + gi * c3).StoreUnsafe(ref yi, (nuint)(to + 3 * stride));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> Wide(ref float at, int index) => Vector.LoadUnsafe(ref at, (nuint)index);

    // a + b + c + d; w (a - c - i (b - d)); w^2 (a - b + c - d); w^3 (a - c + i (b - d))
    static void One(ref float xr, ref float xi, ref float yr, ref float yi, int quarter, int stride, int p, int q, float[] cos, float[] sin)
    {
        int m = quarter * stride, at = q + stride * p, to = q + 4 * stride * p;
        float ar = Unsafe.Add(ref xr, at), ai = Unsafe.Add(ref xi, at), br = Unsafe.Add(ref xr, at + m), bi = Unsafe.Add(ref xi, at + m);
        float cr = Unsafe.Add(ref xr, at + 2 * m), ci = Unsafe.Add(ref xi, at + 2 * m), dr = Unsafe.Add(ref xr, at + 3 * m), di = Unsafe.Add(ref xi, at + 3 * m);
        float er = ar - cr + (bi - di), ei = ai - ci - (br - dr), fr = ar + cr - (br + dr), fi = ai + ci - (bi + di);
        float gr = ar - cr - (bi - di), gi = ai - ci + (br - dr);
        float c1 = cos[p], s1 = sin[p], c2 = cos[quarter + p], s2 = sin[quarter + p], c3 = cos[2 * quarter + p], s3 = sin[2 * quarter + p];
        (Unsafe.Add(ref yr, to), Unsafe.Add(ref yi, to)) = (ar + cr + (br + dr), ai + ci + (bi + di));
        (Unsafe.Add(ref yr, to + stride), Unsafe.Add(ref yi, to + stride)) = (er * c1 - ei * s1, er * s1 + ei * c1);
        (Unsafe.Add(ref yr, to + 2 * stride), Unsafe.Add(ref yi, to + 2 * stride)) = (fr * c2 - fi * s2, fr * s2 + fi * c2);
        (Unsafe.Add(ref yr, to + 3 * stride), Unsafe.Add(ref yi, to + 3 * stride)) = (gr * c3 - gi * s3, gr * s3 + gi * c3);
    }
}
