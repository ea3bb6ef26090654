using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace BirdResearch.Kernels;

/// <summary>Sixteen lanes of AVX-512.</summary>
readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    public static bool IsSupported => Avx512F.IsSupported && Avx512DQ.IsSupported;

    public static int Width => 16;

    public static Vector512<float> Zero => Vector512<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Load(float* from) => Avx512F.LoadVector512(from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<float> value, float* to) => Avx512F.Store(to, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => Avx512F.Add(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => Avx512F.Subtract(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => Avx512F.Multiply(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => Avx512F.Divide(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Reciprocal(Vector512<float> a)
    {
        // Fourteen bits from a table, doubled by a Newton step: a fifth of the price of a division.
        var guess = Avx512F.Reciprocal14(a);
        return Avx512F.FusedMultiplyAdd(guess, Avx512F.FusedMultiplyAddNegated(a, guess, Vector512<float>.One), guess);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* place) => Sse.Prefetch0(place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Avx512F.Max(a, b);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Abs(Vector512<float> a) => Avx512DQ.And(a, Vector512.Create(0x7fffffff).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sqrt(Vector512<float> a) => Vector512.Sqrt(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> a) => Vector512.Log(a);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Avx512F.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> NegatedFma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Avx512F.FusedMultiplyAddNegated(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> WhereAbove(Vector512<float> test, Vector512<float> limit, Vector512<float> above, Vector512<float> otherwise) =>
        Avx512F.BlendVariable(otherwise, above, Avx512F.CompareGreaterThan(test, limit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp2(Vector512<float> a, Vector512<float> b)
    {
        var rounder = Vector512.Create(Exp2Polynomial.Rounder);
        var whole = Avx512F.Subtract(Avx512F.FusedMultiplyAdd(a, b, rounder), rounder);
        var r = Avx512F.FusedMultiplySubtract(a, b, whole);
        var p = Avx512F.FusedMultiplyAdd(r, Vector512.Create(Exp2Polynomial.C5), Vector512.Create(Exp2Polynomial.C4));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(Exp2Polynomial.C3));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(Exp2Polynomial.C2));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(Exp2Polynomial.C1));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512<float>.One);
        return Avx512F.Scale(p, whole);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> SumFour(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var ab = Avx512F.Add(Avx512F.UnpackLow(a, b), Avx512F.UnpackHigh(a, b)).AsDouble();     // a b a b, a quarter at a time
        var cd = Avx512F.Add(Avx512F.UnpackLow(c, d), Avx512F.UnpackHigh(c, d)).AsDouble();
        return Avx512F.Add(Avx512F.UnpackLow(ab, cd).AsSingle(), Avx512F.UnpackHigh(ab, cd).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SumQuarters(Vector512<float> value)
    {
        var half = Vector256.Add(value.GetLower(), value.GetUpper());
        return Vector128.Add(half.GetLower(), half.GetUpper());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> value) => Vector128.Sum(SumQuarters(value));
}
