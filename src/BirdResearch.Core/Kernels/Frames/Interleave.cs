using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace BirdResearch.Kernels;

/// <summary>Lays signals side by side, one per vector lane.</summary>
static unsafe class Interleave
{
    /// <param name="signals">As many as a vector has lanes.</param>
    /// <param name="length">Samples of each.</param>
    /// <param name="rows">Length rows of lanes.</param>
    public static void Apply(float** signals, int length, float* rows)
    {
        var lanes = Vector<float>.Count;
        var i = 0;
        if (lanes == 8 && Avx.IsSupported)
            for (; i <= length - 8; i += 8) Eight(signals, i, rows + i * 8);
        for (; i < length; i++)
            for (var lane = 0; lane < lanes; lane++) rows[i * lanes + lane] = signals[lane][i];
    }

    // The transpose of 8 x 8: pairs, then quadruples, then halves.
    static void Eight(float** signals, int at, float* rows)
    {
        Vector256<float> Load(int lane) => Vector256.Load(signals[lane] + at);
        Vector256<float> a = Load(0), b = Load(1), c = Load(2), d = Load(3), e = Load(4), f = Load(5), g = Load(6), h = Load(7);
        Vector256<float> ab = Avx.UnpackLow(a, b), AB = Avx.UnpackHigh(a, b), cd = Avx.UnpackLow(c, d), CD = Avx.UnpackHigh(c, d);
        Vector256<float> ef = Avx.UnpackLow(e, f), EF = Avx.UnpackHigh(e, f), gh = Avx.UnpackLow(g, h), GH = Avx.UnpackHigh(g, h);
        Vector256<float> p0 = Avx.Shuffle(ab, cd, 0x44), p1 = Avx.Shuffle(ab, cd, 0xEE), p2 = Avx.Shuffle(AB, CD, 0x44), p3 = Avx.Shuffle(AB, CD, 0xEE);
        Vector256<float> q0 = Avx.Shuffle(ef, gh, 0x44), q1 = Avx.Shuffle(ef, gh, 0xEE), q2 = Avx.Shuffle(EF, GH, 0x44), q3 = Avx.Shuffle(EF, GH, 0xEE);
        Avx.Permute2x128(p0, q0, 0x20).Store(rows);
        Avx.Permute2x128(p1, q1, 0x20).Store(rows + 8);
        Avx.Permute2x128(p2, q2, 0x20).Store(rows + 16);
        Avx.Permute2x128(p3, q3, 0x20).Store(rows + 24);
        Avx.Permute2x128(p0, q0, 0x31).Store(rows + 32);
        Avx.Permute2x128(p1, q1, 0x31).Store(rows + 40);
        Avx.Permute2x128(p2, q2, 0x31).Store(rows + 48);
        Avx.Permute2x128(p3, q3, 0x31).Store(rows + 56);
    }
}
