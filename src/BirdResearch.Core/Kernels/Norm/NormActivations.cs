using System.Runtime.CompilerServices;

namespace BirdResearch.Kernels;

/// <summary>z itself.</summary>
readonly struct Plain<V, L> : INormActivation<V, L> where V : struct where L : struct, ILanes<V>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value(V z) => z;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gradient(V z, V above) => above;
}

/// <summary>max(z, 0).</summary>
readonly struct Relu<V, L> : INormActivation<V, L> where V : struct where L : struct, ILanes<V>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value(V z) => L.WhereAbove(z, L.Zero, z, L.Zero);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gradient(V z, V above) => L.WhereAbove(z, L.Zero, above, L.Zero);
}

/// <summary>z sigmoid(z).</summary>
readonly struct Silu<V, L> : INormActivation<V, L> where V : struct where L : struct, ILanes<V>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value(V z) => L.Multiply(z, Curves<V, L>.Sigmoid(z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gradient(V z, V above)
    {
        var s = Curves<V, L>.Sigmoid(z);
        return L.Multiply(above, L.Fma(L.Multiply(z, s), L.Subtract(L.Broadcast(1), s), s));       // s + z s (1 - s)
    }
}

/// <summary>z clip(z + 3, 0, 6) / 6.</summary>
readonly struct Hardswish<V, L> : INormActivation<V, L> where V : struct where L : struct, ILanes<V>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Value(V z) => L.Multiply(z, Gate(z));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gradient(V z, V above)
    {
        var within = L.Fma(z, L.Broadcast(1 / 3f), L.Broadcast(0.5f));
        var slope = L.WhereAbove(z, L.Broadcast(-3), L.WhereAbove(z, L.Broadcast(3), L.Broadcast(1), within), L.Zero);
        return L.Multiply(above, slope);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static V Gate(V z)
    {
        var rising = L.Max(L.Fma(z, L.Broadcast(1 / 6f), L.Broadcast(0.5f)), L.Zero);
        return L.WhereAbove(rising, L.Broadcast(1), L.Broadcast(1), rising);
    }
}
