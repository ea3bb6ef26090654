using System.Runtime.Intrinsics;

namespace BirdResearch.Kernels;

/// <summary>The few vector operations that the kernels are written in, so that one source gives every vector width.</summary>
unsafe interface ILanes<V> where V : struct
{
    static abstract int Width { get; }
    static abstract V Zero { get; }
    static abstract V Load(float* from);
    static abstract void Store(V value, float* to);
    static abstract V Broadcast(float value);
    static abstract V Add(V a, V b);
    static abstract V Subtract(V a, V b);
    static abstract V Multiply(V a, V b);
    static abstract V Divide(V a, V b);

    /// <summary>1 / a for positive numbers that are neither huge nor tiny, within two units of the last place.</summary>
    static abstract V Reciprocal(V a);

    static abstract V Max(V a, V b);
    static abstract V Abs(V a);
    static abstract V Sqrt(V a);

    /// <summary>Natural logarithm.</summary>
    static abstract V Log(V a);

    /// <summary>a * b + c.</summary>
    static abstract V Fma(V a, V b, V c);

    /// <summary>c - a * b.</summary>
    static abstract V NegatedFma(V a, V b, V c);

    /// <summary>Where <paramref name="test"/> is above <paramref name="limit"/> the one, elsewhere the other.</summary>
    static abstract V WhereAbove(V test, V limit, V above, V otherwise);

    /// <summary>2 to the power a * b, within 1e-7 of it.</summary>
    static abstract V Exp2(V a, V b);

    /// <summary>Sums of four vectors' lanes, not quite finished: lane i of the result belongs to vector i mod 4.</summary>
    static abstract V SumFour(V a, V b, V c, V d);

    /// <summary>Finishes <see cref="SumFour"/>: four numbers.</summary>
    static abstract Vector128<float> SumQuarters(V value);

    static abstract float Sum(V value);

    /// <summary>Asks for the cache line early.</summary>
    static abstract void Prefetch(float* place);
}

/// <summary>2^r = 1 + r (c1 + r (c2 + ...)) for r in [-1/2, 1/2], the minimax polynomial of degree 5: relative error 9.2e-8.</summary>
static class Exp2Polynomial
{
    public const float C1 = 0.6931470036506653f, C2 = 0.24022242426872253f, C3 = 0.05550733581185341f, C4 = 0.009671512991189957f, C5 = 0.001326472731307149f;

    /// <summary>1.5 x 2^23: adding it rounds to the nearest whole number, which then stands in the low bits.</summary>
    public const float Rounder = 12582912f;

    public const float Log2E = 1.44269504088896341f;
}
