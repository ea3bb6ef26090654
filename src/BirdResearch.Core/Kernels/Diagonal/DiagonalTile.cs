using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>The direction in which a token sees itself and the past.</summary>
readonly struct Past;

/// <summary>The direction in which a token sees those after it, and not itself.</summary>
readonly struct Future;

/// <summary>
/// A diagonal scan of one tile of channels, one per lane, over one chunk of tokens. All buffers hold a vector per token, in the order of
/// the scan, or per state; real and imaginary parts of states and constants lie in separate buffers. States come in fours.
/// </summary>
static unsafe class DiagonalTile<V, L, TDirection> where V : struct where L : struct, ILanes<V>
{
    /// <summary>h = a h + u, y += Re(w h); y comes first where a token does not see itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(int tokens, int states, float* u, float* y, float* a, float* w, float* h)
    {
        var size = L.Width;
        var imaginary = states * size;
        for (var n = 0; n < states; n += 4, a += 4 * size, w += 4 * size, h += 4 * size)
        {
            V ar0 = L.Load(a), ar1 = L.Load(a + size), ar2 = L.Load(a + (2 * size)), ar3 = L.Load(a + (3 * size));
            V ai0 = L.Load(a + imaginary), ai1 = L.Load(a + imaginary + size), ai2 = L.Load(a + imaginary + (2 * size)), ai3 = L.Load(a + imaginary + (3 * size));
            V wr0 = L.Load(w), wr1 = L.Load(w + size), wr2 = L.Load(w + (2 * size)), wr3 = L.Load(w + (3 * size));
            V wi0 = L.Load(w + imaginary), wi1 = L.Load(w + imaginary + size), wi2 = L.Load(w + imaginary + (2 * size)), wi3 = L.Load(w + imaginary + (3 * size));
            V hr0 = L.Load(h), hr1 = L.Load(h + size), hr2 = L.Load(h + (2 * size)), hr3 = L.Load(h + (3 * size));
            V hi0 = L.Load(h + imaginary), hi1 = L.Load(h + imaginary + size), hi2 = L.Load(h + imaginary + (2 * size)), hi3 = L.Load(h + imaginary + (3 * size));
            for (var t = 0; t < tokens; t++)
            {
                V x = L.Load(u + (t * size)), even = L.Load(y + (t * size)), odd;
                if (typeof(TDirection) == typeof(Future))
                {
                    odd = L.Multiply(wr1, hr1);
                    even = L.NegatedFma(wi0, hi0, L.Fma(wr0, hr0, even));
                    odd = L.NegatedFma(wi1, hi1, odd);
                    even = L.NegatedFma(wi2, hi2, L.Fma(wr2, hr2, even));
                    odd = L.NegatedFma(wi3, hi3, L.Fma(wr3, hr3, odd));
                    L.Store(L.Add(even, odd), y + (t * size));
                }
                V next0 = L.Fma(ar0, hr0, L.NegatedFma(ai0, hi0, x)), next1 = L.Fma(ar1, hr1, L.NegatedFma(ai1, hi1, x));
                V next2 = L.Fma(ar2, hr2, L.NegatedFma(ai2, hi2, x)), next3 = L.Fma(ar3, hr3, L.NegatedFma(ai3, hi3, x));
                hi0 = L.Fma(ar0, hi0, L.Multiply(ai0, hr0));
                hi1 = L.Fma(ar1, hi1, L.Multiply(ai1, hr1));
                hi2 = L.Fma(ar2, hi2, L.Multiply(ai2, hr2));
                hi3 = L.Fma(ar3, hi3, L.Multiply(ai3, hr3));
                (hr0, hr1, hr2, hr3) = (next0, next1, next2, next3);
                if (typeof(TDirection) == typeof(Past))
                {
                    odd = L.Multiply(wr1, hr1);
                    even = L.NegatedFma(wi0, hi0, L.Fma(wr0, hr0, even));
                    odd = L.NegatedFma(wi1, hi1, odd);
                    even = L.NegatedFma(wi2, hi2, L.Fma(wr2, hr2, even));
                    odd = L.NegatedFma(wi3, hi3, L.Fma(wr3, hr3, odd));
                    L.Store(L.Add(even, odd), y + (t * size));
                }
            }
            Keep(hr0, h);
            Keep(hr1, h + size);
            Keep(hr2, h + (2 * size));
            Keep(hr3, h + (3 * size));
            Keep(hi0, h + imaginary);
            Keep(hi1, h + imaginary + size);
            Keep(hi2, h + imaginary + (2 * size));
            Keep(hi3, h + imaginary + (3 * size));
        }
    }

    /// <summary>
    /// The scan against its direction, over the gradient g: l = g + a l and its derivative by a, m = l + a m (of the l before). It gives
    /// du += Re(w l), and the sums over tokens of u l and u m: the gradients of w and, times w, of a. It thus needs no states of the forward.
    /// </summary>
    /// <param name="tokens">Tokens in the chunk.</param>
    /// <param name="states">States, a multiple of two.</param>
    /// <param name="g">Gradient of y, in the order of this scan.</param>
    /// <param name="u">Input, likewise.</param>
    /// <param name="du">Gradient of the input is added to it, likewise.</param>
    /// <param name="a">Bases.</param>
    /// <param name="w">Weights.</param>
    /// <param name="l">l, carried on.</param>
    /// <param name="m">m, carried on.</param>
    /// <param name="ul">Sum of u l is added to it.</param>
    /// <param name="um">Sum of u m is added to it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(int tokens, int states, float* g, float* u, float* du, float* a, float* w, float* l, float* m, float* ul, float* um)
    {
        var size = L.Width;
        var imaginary = states * size;
        for (var n = 0; n < states; n += 2)
        {
            int real0 = n * size, real1 = real0 + size, imaginary0 = real0 + imaginary, imaginary1 = real1 + imaginary;
            V ar0 = L.Load(a + real0), ar1 = L.Load(a + real1), ai0 = L.Load(a + imaginary0), ai1 = L.Load(a + imaginary1);
            V wr0 = L.Load(w + real0), wr1 = L.Load(w + real1), wi0 = L.Load(w + imaginary0), wi1 = L.Load(w + imaginary1);
            V lr0 = L.Load(l + real0), lr1 = L.Load(l + real1), li0 = L.Load(l + imaginary0), li1 = L.Load(l + imaginary1);
            V mr0 = L.Load(m + real0), mr1 = L.Load(m + real1), mi0 = L.Load(m + imaginary0), mi1 = L.Load(m + imaginary1);
            V ulr0 = L.Zero, ulr1 = L.Zero, uli0 = L.Zero, uli1 = L.Zero, umr0 = L.Zero, umr1 = L.Zero, umi0 = L.Zero, umi1 = L.Zero;
            for (var t = 0; t < tokens; t++)
            {
                V given = L.Load(g + (t * size)), x = L.Load(u + (t * size));
                if (typeof(TDirection) == typeof(Past))
                {
                    Step(ar0, ai0, given, ref lr0, ref li0, ref mr0, ref mi0);
                    Step(ar1, ai1, given, ref lr1, ref li1, ref mr1, ref mi1);
                }
                var even = L.Fma(wr0, lr0, L.Load(du + (t * size)));
                var odd = L.Multiply(wr1, lr1);
                L.Store(L.Add(L.NegatedFma(wi0, li0, even), L.NegatedFma(wi1, li1, odd)), du + (t * size));
                ulr0 = L.Fma(x, lr0, ulr0);
                ulr1 = L.Fma(x, lr1, ulr1);
                uli0 = L.Fma(x, li0, uli0);
                uli1 = L.Fma(x, li1, uli1);
                umr0 = L.Fma(x, mr0, umr0);
                umr1 = L.Fma(x, mr1, umr1);
                umi0 = L.Fma(x, mi0, umi0);
                umi1 = L.Fma(x, mi1, umi1);
                if (typeof(TDirection) == typeof(Future))
                {
                    Step(ar0, ai0, given, ref lr0, ref li0, ref mr0, ref mi0);
                    Step(ar1, ai1, given, ref lr1, ref li1, ref mr1, ref mi1);
                }
            }
            Keep(lr0, l + real0);
            Keep(lr1, l + real1);
            Keep(li0, l + imaginary0);
            Keep(li1, l + imaginary1);
            Keep(mr0, m + real0);
            Keep(mr1, m + real1);
            Keep(mi0, m + imaginary0);
            Keep(mi1, m + imaginary1);
            Accumulate(ulr0, ul + real0);
            Accumulate(ulr1, ul + real1);
            Accumulate(uli0, ul + imaginary0);
            Accumulate(uli1, ul + imaginary1);
            Accumulate(umr0, um + real0);
            Accumulate(umr1, um + real1);
            Accumulate(umi0, um + imaginary0);
            Accumulate(umi1, um + imaginary1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Step(V ar, V ai, V given, ref V lr, ref V li, ref V mr, ref V mi)
    {
        var nextM = L.Fma(ar, mr, L.NegatedFma(ai, mi, lr));
        mi = L.Fma(ar, mi, L.Fma(ai, mr, li));
        mr = nextM;
        var nextL = L.Fma(ar, lr, L.NegatedFma(ai, li, given));
        li = L.Fma(ar, li, L.Multiply(ai, lr));
        lr = nextL;
    }

    // A state that died away would otherwise run through denormal numbers, which take many times as long.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Keep(V value, float* to)
    {
        const float Smallest = 1e-30f;
        L.Store(L.WhereAbove(L.Broadcast(Smallest), L.Abs(value), L.Zero, value), to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Accumulate(V value, float* to) => L.Store(L.Add(L.Load(to), value), to);
}
