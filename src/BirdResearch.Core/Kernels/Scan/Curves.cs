using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>The curves around a scan, on vectors; each within a few units of the last place.</summary>
static class Curves<V, L> where V : struct where L : struct, ILanes<V>
{
    /// <summary>1 / (1 + exp(-x)).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid(V x)
    {
        var one = L.Broadcast(1);
        return L.Divide(one, L.Add(one, L.Exp2(x, L.Broadcast(-Exp2Polynomial.Log2E))));
    }

    /// <summary>ln(1 + exp(x)); x itself above 20, as torch has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Softplus(V x)
    {
        // ln(1 + e) = 2 artanh(s), s = e / (2 + e): exact to the last place for small e, where 1 + e would drown it.
        var e = L.Exp2(L.Abs(x), L.Broadcast(-Exp2Polynomial.Log2E));
        var s = L.Divide(e, L.Add(L.Broadcast(2), e));
        var q = L.Multiply(s, s);
        var p = L.Fma(q, L.Broadcast(0.1400599628686905f), L.Broadcast(0.14000901579856873f));
        p = L.Fma(p, q, L.Broadcast(0.2001076340675354f));
        p = L.Fma(p, q, L.Broadcast(0.3333320915699005f));
        s = L.Add(s, s);
        var log = L.Fma(L.Multiply(s, q), p, s);
        return L.WhereAbove(x, L.Broadcast(20), x, L.Add(L.Max(x, L.Zero), log));
    }
}
