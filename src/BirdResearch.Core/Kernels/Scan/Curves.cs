using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>The curves around a scan, on vectors; each within a few units of the last place.</summary>
static class Curves<V, L> where V : struct where L : struct, ILanes<V>
{
    /// <summary>1 / (1 + exp(-x)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid(V x)
    {
        // Below -80 the result is less than the smallest step of any sum it enters, and its reciprocal would overflow.
        return L.Reciprocal(L.Add(L.Broadcast(1), L.Exp2(L.Max(x, L.Broadcast(-80)), L.Broadcast(-Exp2Polynomial.Log2E))));
    }

    /// <summary>ln(1 + exp(x)); x itself above 20, as torch has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Softplus(V x) => Softplus(x, L.Exp2(L.Abs(x), L.Broadcast(-Exp2Polynomial.Log2E)));

    /// <summary>The same, with its slope, the sigmoid of x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Softplus(V x, out V slope)
    {
        var e = L.Exp2(L.Abs(x), L.Broadcast(-Exp2Polynomial.Log2E));
        var r = L.Reciprocal(L.Add(L.Broadcast(1), e));
        slope = L.WhereAbove(x, L.Zero, r, L.Multiply(e, r));
        return Softplus(x, e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Softplus(V x, V e)
    {
        // ln(1 + e) = 2 artanh(s), s = e / (2 + e): exact to the last place for small e, where 1 + e would drown it.
        var s = L.Multiply(e, L.Reciprocal(L.Add(L.Broadcast(2), e)));
        var q = L.Multiply(s, s);
        var p = L.Fma(q, L.Broadcast(0.1400599628686905f), L.Broadcast(0.14000901579856873f));
        p = L.Fma(p, q, L.Broadcast(0.2001076340675354f));
        p = L.Fma(p, q, L.Broadcast(0.3333320915699005f));
        s = L.Add(s, s);
        var log = L.Fma(L.Multiply(s, q), p, s);
        return L.WhereAbove(x, L.Broadcast(20), x, L.Add(L.Max(x, L.Zero), log));
    }

    /// <summary>x Phi(x) with the normal distribution Phi: GELU, exact. Within 2e-7 of it relative to |x|.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gelu(V x) => L.Multiply(x, NormalDistribution(x, out _));

    /// <summary>The slope of GELU, Phi(x) + x phi(x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluSlope(V x)
    {
        var distribution = NormalDistribution(x, out var density);
        return L.Fma(x, density, distribution);
    }

    // Abramowitz and Stegun 7.1.26: erfc(z) = t (a1 + t (a2 + ...)) exp(-z z), t = 1 / (1 + p z), at z = |x| / sqrt(2).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V NormalDistribution(V x, out V density)
    {
        const float HalfRoot = 0.70710678f, Density = 0.39894228f, LeastExponent = -100;
        var one = L.Broadcast(1);
        var t = L.Divide(one, L.Fma(L.Abs(x), L.Broadcast(0.3275911f * HalfRoot), one));
        var exponent = L.Multiply(L.Multiply(x, x), L.Broadcast(-0.5f * Exp2Polynomial.Log2E));
        var e = L.Exp2(L.Max(exponent, L.Broadcast(LeastExponent)), one);       // denormal numbers take many times as long
        var p = L.Fma(t, L.Broadcast(1.061405429f), L.Broadcast(-1.453152027f));
        p = L.Fma(p, t, L.Broadcast(1.421413741f));
        p = L.Fma(p, t, L.Broadcast(-0.284496736f));
        p = L.Fma(p, t, L.Broadcast(0.254829592f));
        var tail = L.Multiply(L.Multiply(p, t), L.Multiply(e, L.Broadcast(0.5f)));
        density = L.Multiply(e, L.Broadcast(Density));
        return L.WhereAbove(x, L.Zero, L.Subtract(one, tail), tail);
    }
}
