using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>B or C that changes from token to token and is one number for all lanes.</summary>
readonly struct PerToken;

/// <summary>B or C that is the same at every token and has its own number for every lane.</summary>
readonly struct PerChannel;

/// <summary>
/// The scan of one tile of channels, one per lane, over one chunk of tokens in scan order. All buffers hold a vector per token or per state,
/// laid out one after the other; states come in fours. A is given times log2 e, so that exp becomes exp2.
/// </summary>
static unsafe class ScanTile<V, L, TB, TC> where V : struct where L : struct, ILanes<V>
{
    /// <summary>h = exp(delta A) h + delta u B, y = C h; the states are carried in <paramref name="h"/>.</summary>
    /// <param name="tokens">Tokens in the chunk.</param>
    /// <param name="states">States, a multiple of four.</param>
    /// <param name="delta">Step sizes.</param>
    /// <param name="du">delta times input.</param>
    /// <param name="a">A log2 e, a vector per state.</param>
    /// <param name="b">B: a number per token and state, or a vector per state.</param>
    /// <param name="c">C, likewise.</param>
    /// <param name="h">The states.</param>
    /// <param name="y">What the states give.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(int tokens, int states, float* delta, float* du, float* a, float* b, float* c, float* h, float* y)
    {
        var w = L.Width;
        var (bToken, bState) = Steps<TB>(states);
        var (cToken, cState) = Steps<TC>(states);
        for (var n = 0; n < states; n += 4)
        {
            V a0 = L.Load(a + (n * w)), a1 = L.Load(a + ((n + 1) * w)), a2 = L.Load(a + ((n + 2) * w)), a3 = L.Load(a + ((n + 3) * w));
            V h0 = L.Load(h + (n * w)), h1 = L.Load(h + ((n + 1) * w)), h2 = L.Load(h + ((n + 2) * w)), h3 = L.Load(h + ((n + 3) * w));
            float* bn = b + (n * bState), cn = c + (n * cState);
            for (var t = 0; t < tokens; t++)
            {
                V d = L.Load(delta + (t * w)), x = L.Load(du + (t * w));
                var out0 = n == 0 ? L.Zero : L.Load(y + (t * w));
                h0 = L.Fma(L.Exp2(d, a0), h0, L.Multiply(x, At<TB>(bn)));
                h1 = L.Fma(L.Exp2(d, a1), h1, L.Multiply(x, At<TB>(bn + bState)));
                h2 = L.Fma(L.Exp2(d, a2), h2, L.Multiply(x, At<TB>(bn + (2 * bState))));
                h3 = L.Fma(L.Exp2(d, a3), h3, L.Multiply(x, At<TB>(bn + (3 * bState))));
                var out1 = L.Multiply(h1, At<TC>(cn + cState));
                out0 = L.Fma(h0, At<TC>(cn), out0);
                out1 = L.Fma(h3, At<TC>(cn + (3 * cState)), out1);
                out0 = L.Fma(h2, At<TC>(cn + (2 * cState)), out0);
                L.Store(L.Add(out0, out1), y + (t * w));
                bn += bToken;
                cn += cToken;
            }
            L.Store(h0, h + (n * w));
            L.Store(h1, h + ((n + 1) * w));
            L.Store(h2, h + ((n + 2) * w));
            L.Store(h3, h + ((n + 3) * w));
        }
    }

    /// <summary>
    /// The chunk again from its first state, and back: lambda_t = C_t g_t + exp(delta_{t+1} A) lambda_{t+1}. Gradients that have a number per
    /// token and state are summed over the lanes down to a quarter vector each; the caller finishes the sums.
    /// </summary>
    /// <param name="tokens">Tokens in the chunk.</param>
    /// <param name="states">States, a multiple of four.</param>
    /// <param name="delta">Step sizes.</param>
    /// <param name="du">delta times input.</param>
    /// <param name="g">Gradient of what the states gave.</param>
    /// <param name="a">A log2 e, a vector per state.</param>
    /// <param name="b">B: a number per token and state, or a vector per state.</param>
    /// <param name="c">C, likewise.</param>
    /// <param name="h">The states before the chunk.</param>
    /// <param name="lambda">exp(delta A) lambda of the token after the chunk; becomes that of the chunk's first token.</param>
    /// <param name="y">What the states give.</param>
    /// <param name="toInput">Sum over the states of lambda B.</param>
    /// <param name="toDelta">Sum over the states of lambda A log2 e exp(delta A) h.</param>
    /// <param name="dA">Gradient of A, a vector per state, is added to it.</param>
    /// <param name="dB">Gradient of B is added to it: a vector per token and four states, or one per state.</param>
    /// <param name="dC">Gradient of C, likewise.</param>
    /// <param name="scratch">Room for 8 vectors per token.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(
        int tokens, int states, float* delta, float* du, float* g, float* a, float* b, float* c, float* h, float* lambda,
        float* y, float* toInput, float* toDelta, float* dA, float* dB, float* dC, float* scratch)
    {
        var w = L.Width;
        var (bToken, bState) = Steps<TB>(states);
        var (cToken, cState) = Steps<TC>(states);
        int dbToken = typeof(TB) == typeof(PerToken) ? states / 4 * w : 0, dcToken = typeof(TC) == typeof(PerToken) ? states / 4 * w : 0;
        for (var n = 0; n < states; n += 4)
        {
            V a0 = L.Load(a + (n * w)), a1 = L.Load(a + ((n + 1) * w)), a2 = L.Load(a + ((n + 2) * w)), a3 = L.Load(a + ((n + 3) * w));
            V h0 = L.Load(h + (n * w)), h1 = L.Load(h + ((n + 1) * w)), h2 = L.Load(h + ((n + 2) * w)), h3 = L.Load(h + ((n + 3) * w));
            float* bn = b + (n * bState), cn = c + (n * cState), s = scratch;
            var dc = dC + (typeof(TC) == typeof(PerToken) ? n / 4 * w : n * w);
            for (var t = 0; t < tokens; t++)
            {
                V d = L.Load(delta + (t * w)), x = L.Load(du + (t * w)), gy = L.Load(g + (t * w));
                var out0 = n == 0 ? L.Zero : L.Load(y + (t * w));
                V e0 = L.Exp2(d, a0), e1 = L.Exp2(d, a1), e2 = L.Exp2(d, a2), e3 = L.Exp2(d, a3);
                h0 = L.Multiply(e0, h0);
                h1 = L.Multiply(e1, h1);
                h2 = L.Multiply(e2, h2);
                h3 = L.Multiply(e3, h3);
                L.Store(e0, s);
                L.Store(e1, s + w);
                L.Store(e2, s + (2 * w));
                L.Store(e3, s + (3 * w));
                L.Store(h0, s + (4 * w));
                L.Store(h1, s + (5 * w));
                L.Store(h2, s + (6 * w));
                L.Store(h3, s + (7 * w));
                h0 = L.Fma(x, At<TB>(bn), h0);
                h1 = L.Fma(x, At<TB>(bn + bState), h1);
                h2 = L.Fma(x, At<TB>(bn + (2 * bState)), h2);
                h3 = L.Fma(x, At<TB>(bn + (3 * bState)), h3);
                var out1 = L.Multiply(h1, At<TC>(cn + cState));
                out0 = L.Fma(h0, At<TC>(cn), out0);
                out1 = L.Fma(h3, At<TC>(cn + (3 * cState)), out1);
                out0 = L.Fma(h2, At<TC>(cn + (2 * cState)), out0);
                L.Store(L.Add(out0, out1), y + (t * w));
                Accumulate<TC>(gy, h0, h1, h2, h3, dc);
                s += 8 * w;
                bn += bToken;
                cn += cToken;
                dc += dcToken;
            }

            V l0 = L.Load(lambda + (n * w)), l1 = L.Load(lambda + ((n + 1) * w)), l2 = L.Load(lambda + ((n + 2) * w)), l3 = L.Load(lambda + ((n + 3) * w));
            V da0 = L.Load(dA + (n * w)), da1 = L.Load(dA + ((n + 1) * w)), da2 = L.Load(dA + ((n + 2) * w)), da3 = L.Load(dA + ((n + 3) * w));
            var db = dB + (typeof(TB) == typeof(PerToken) ? n / 4 * w : n * w) + (tokens * dbToken);
            for (var t = tokens - 1; t >= 0; t--)
            {
                s -= 8 * w;
                bn -= bToken;
                cn -= cToken;
                db -= dbToken;
                V d = L.Load(delta + (t * w)), x = L.Load(du + (t * w)), gy = L.Load(g + (t * w));
                var si = n == 0 ? L.Zero : L.Load(toInput + (t * w));
                var sd = n == 0 ? L.Zero : L.Load(toDelta + (t * w));
                l0 = L.Fma(gy, At<TC>(cn), l0);
                l1 = L.Fma(gy, At<TC>(cn + cState), l1);
                l2 = L.Fma(gy, At<TC>(cn + (2 * cState)), l2);
                l3 = L.Fma(gy, At<TC>(cn + (3 * cState)), l3);
                Accumulate<TB>(x, l0, l1, l2, l3, db);
                var si1 = L.Multiply(l1, At<TB>(bn + bState));
                si = L.Fma(l0, At<TB>(bn), si);
                si1 = L.Fma(l3, At<TB>(bn + (3 * bState)), si1);
                si = L.Fma(l2, At<TB>(bn + (2 * bState)), si);
                L.Store(L.Add(si, si1), toInput + (t * w));
                V w0 = L.Multiply(l0, L.Load(s + (4 * w))), w1 = L.Multiply(l1, L.Load(s + (5 * w)));
                V w2 = L.Multiply(l2, L.Load(s + (6 * w))), w3 = L.Multiply(l3, L.Load(s + (7 * w)));
                da0 = L.Fma(w0, d, da0);
                da1 = L.Fma(w1, d, da1);
                da2 = L.Fma(w2, d, da2);
                da3 = L.Fma(w3, d, da3);
                var sd1 = L.Multiply(w1, a1);
                sd = L.Fma(w0, a0, sd);
                sd1 = L.Fma(w3, a3, sd1);
                sd = L.Fma(w2, a2, sd);
                L.Store(L.Add(sd, sd1), toDelta + (t * w));
                l0 = L.Multiply(l0, L.Load(s));
                l1 = L.Multiply(l1, L.Load(s + w));
                l2 = L.Multiply(l2, L.Load(s + (2 * w)));
                l3 = L.Multiply(l3, L.Load(s + (3 * w)));
            }
            L.Store(l0, lambda + (n * w));
            L.Store(l1, lambda + ((n + 1) * w));
            L.Store(l2, lambda + ((n + 2) * w));
            L.Store(l3, lambda + ((n + 3) * w));
            L.Store(da0, dA + (n * w));
            L.Store(da1, dA + ((n + 1) * w));
            L.Store(da2, dA + ((n + 2) * w));
            L.Store(da3, dA + ((n + 3) * w));
        }
    }

    /// <summary>Adds a x b for four states: their lane sums to one vector, or each to its own where it has a number per channel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Accumulate<T>(V a, V b0, V b1, V b2, V b3, float* to)
    {
        if (typeof(T) == typeof(PerToken))
        {
            L.Store(L.Add(L.Load(to), L.SumFour(L.Multiply(a, b0), L.Multiply(a, b1), L.Multiply(a, b2), L.Multiply(a, b3))), to);
            return;
        }
        var w = L.Width;
        L.Store(L.Fma(a, b0, L.Load(to)), to);
        L.Store(L.Fma(a, b1, L.Load(to + w)), to + w);
        L.Store(L.Fma(a, b2, L.Load(to + (2 * w))), to + (2 * w));
        L.Store(L.Fma(a, b3, L.Load(to + (3 * w))), to + (3 * w));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V At<T>(float* place) => typeof(T) == typeof(PerChannel) ? L.Load(place) : L.Broadcast(*place);

    /// <summary>Numbers from one token to the next, and from one state to the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static (int Token, int State) Steps<T>(int states) => typeof(T) == typeof(PerChannel) ? (0, L.Width) : (states, 1);
}
