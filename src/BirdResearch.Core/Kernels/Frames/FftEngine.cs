using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>The work of a <see cref="BatchedFft"/> on one width of vectors. A complex row is a row of real parts and one of imaginary parts.</summary>
static unsafe class FftEngine<V, L> where V : struct where L : struct, ILanes<V>
{
    const float HalfRoot = 0.70710678118654752f;

    /// <summary>Rows of samples to rows of powers, each four times as large.</summary>
    public static void Powers(BatchedFft fft, float* rows, float* powers)
    {
        Transform(fft, rows, fft.Half, 0);
        Unpack(fft, rows, powers);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Transform(BatchedFft fft, float* rows, int n, int pass)
    {
        if (n < BatchedFft.Radix)
        {
            if (n == 4) Four(rows);
            if (n == 2) Two(rows);
            return;
        }
        var step = n / BatchedFft.Radix * 2 * L.Width;
        Eight(rows, step, null);
        if (n == BatchedFft.Radix) return;
        fixed (float* twiddles = fft.Twiddles[pass])
        {
            var w = twiddles;
            for (float* at = rows + 2 * L.Width, end = rows + step; at < end; at += 2 * L.Width, w += 2 * (BatchedFft.Radix - 1)) Eight(at, step, w);
        }
        for (var part = 0; part < BatchedFft.Radix; part++) Transform(fft, rows + part * step, n / BatchedFft.Radix, pass + 1);
    }

    static void Two(float* rows)
    {
        for (var part = 0; part < 2; part++, rows += L.Width)
        {
            V a = L.Load(rows), b = L.Load(rows + 2 * L.Width);
            L.Store(L.Add(a, b), rows);
            L.Store(L.Subtract(a, b), rows + 2 * L.Width);
        }
    }

    static void Four(float* rows)
    {
        var step = 2 * L.Width;
        Sum(rows, 2 * step, out var r0, out var i0, out var e0, out var f0);
        Sum(rows + step, 2 * step, out var r1, out var i1, out var e1, out var f1);
        Put(rows, L.Add(r0, r1), L.Add(i0, i1));
        Put(rows + step, L.Add(e0, f1), L.Subtract(f0, e1));
        Put(rows + 2 * step, L.Subtract(r0, r1), L.Subtract(i0, i1));
        Put(rows + 3 * step, L.Subtract(e0, f1), L.Add(f0, e1));
    }

    // s_q = a_q + a_(q+4) give the even outputs and d_q = (a_q - a_(q+4)) e^(-2 pi i q / 8) the odd ones, each as a transform of four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Eight(float* at, int step, float* w)
    {
        Sum(at, 4 * step, out var sr0, out var si0, out var dr0, out var di0);
        Sum(at + step, 4 * step, out var sr1, out var si1, out var dr1, out var di1);
        Sum(at + 2 * step, 4 * step, out var sr2, out var si2, out var dr2, out var di2);
        Sum(at + 3 * step, 4 * step, out var sr3, out var si3, out var dr3, out var di3);

        V tr = L.Add(sr0, sr2), ti = L.Add(si0, si2), ur = L.Subtract(sr0, sr2), ui = L.Subtract(si0, si2);
        V vr = L.Add(sr1, sr3), vi = L.Add(si1, si3), xr = L.Subtract(sr1, sr3), xi = L.Subtract(si1, si3);
        Put(at, L.Add(tr, vr), L.Add(ti, vi));
        Turn(at + 4 * step, L.Subtract(tr, vr), L.Subtract(ti, vi), w, 4);
        Turn(at + 2 * step, L.Add(ur, xi), L.Subtract(ui, xr), w, 2);
        Turn(at + 6 * step, L.Subtract(ur, xi), L.Add(ui, xr), w, 6);

        var root = L.Broadcast(HalfRoot);
        V er1 = L.Multiply(L.Add(dr1, di1), root), ei1 = L.Multiply(L.Subtract(di1, dr1), root);        // d1 (1 - i) / sqrt 2
        V er3 = L.Multiply(L.Subtract(di3, dr3), root), mi3 = L.Multiply(L.Add(dr3, di3), root);        // d3 (-1 - i) / sqrt 2 = er3 - i mi3
        tr = L.Add(dr0, di2);                                                                           // d2 (-i) = di2 - i dr2
        ti = L.Subtract(di0, dr2);
        ur = L.Subtract(dr0, di2);
        ui = L.Add(di0, dr2);
        vr = L.Add(er1, er3);
        vi = L.Subtract(ei1, mi3);
        xr = L.Subtract(er1, er3);
        xi = L.Add(ei1, mi3);
        Turn(at + step, L.Add(tr, vr), L.Add(ti, vi), w, 1);
        Turn(at + 5 * step, L.Subtract(tr, vr), L.Subtract(ti, vi), w, 5);
        Turn(at + 3 * step, L.Add(ur, xi), L.Subtract(ui, xr), w, 3);
        Turn(at + 7 * step, L.Subtract(ur, xi), L.Add(ui, xr), w, 7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Sum(float* at, int apart, out V sr, out V si, out V dr, out V di)
    {
        V r0 = L.Load(at), i0 = L.Load(at + L.Width), r1 = L.Load(at + apart), i1 = L.Load(at + apart + L.Width);
        (sr, si) = (L.Add(r0, r1), L.Add(i0, i1));
        (dr, di) = (L.Subtract(r0, r1), L.Subtract(i0, i1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Turn(float* at, V re, V im, float* w, int p)
    {
        if (w == null)
        {
            Put(at, re, im);
            return;
        }
        V wr = L.Broadcast(w[2 * p - 2]), wi = L.Broadcast(w[2 * p - 1]);
        Put(at, L.NegatedFma(im, wi, L.Multiply(re, wr)), L.Fma(re, wi, L.Multiply(im, wr)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Put(float* at, V re, V im)
    {
        L.Store(re, at);
        L.Store(im, at + L.Width);
    }

    // With Z the complex transform of even and odd samples, 2 X_k = E + w^k O and 2 X_(N/2 - k) = conj(E - w^k O), where
    // E = Z_k + conj Z_(N/2 - k) and O = (Z_k - conj Z_(N/2 - k)) / i.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Unpack(BatchedFft fft, float* rows, float* powers)
    {
        var half = fft.Half;
        V r = L.Load(rows), i = L.Load(rows + L.Width), sum = L.Add(r, i), difference = L.Subtract(r, i);
        L.Store(Squared(L.Add(sum, sum), L.Zero), powers);
        L.Store(Squared(L.Add(difference, difference), L.Zero), powers + half * L.Width);
        fixed (float* roots = fft.Unpacking)
        fixed (int* places = fft.Places)
            for (var k = 1; k <= half / 2; k++)
            {
                float* low = rows + places[k] * 2 * L.Width, high = rows + places[half - k] * 2 * L.Width;
                V a = L.Load(low), b = L.Load(low + L.Width), c = L.Load(high), d = L.Load(high + L.Width);
                V er = L.Add(a, c), ei = L.Subtract(b, d), xr = L.Add(b, d), xi = L.Subtract(c, a);
                V wr = L.Broadcast(roots[2 * k]), wi = L.Broadcast(roots[2 * k + 1]);
                V tr = L.NegatedFma(xi, wi, L.Multiply(xr, wr)), ti = L.Fma(xr, wi, L.Multiply(xi, wr));
                L.Store(Squared(L.Add(er, tr), L.Add(ei, ti)), powers + k * L.Width);
                L.Store(Squared(L.Subtract(er, tr), L.Subtract(ei, ti)), powers + (half - k) * L.Width);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Squared(V re, V im) => L.Fma(re, re, L.Multiply(im, im));
}
