using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace BirdResearch.Kernels;

/// <summary>Lays signals side by side, one per vector lane.</summary>
static unsafe class Interleave
{
    /// <param name="signals">As many as a row is wide, a multiple of eight.</param>
    /// <param name="length">Samples of each.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="rows">Length rows.</param>
    /// <param name="factors">What each row is multiplied by.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(float** signals, int length, int width, float* rows, float* factors)
    {
        var i = 0;
        if (width == Lanes512.Width && Avx512F.IsSupported)
            for (; i <= length - 4; i += 4) FourWideRows(signals, i, rows + i * Lanes512.Width, factors + i);
        else if (Avx.IsSupported)
            for (; i <= length - 4; i += 4)
                for (var lane = 0; lane < width; lane += 8) FourRows(signals + lane, i, width, rows + i * width + lane, factors + i);
        for (; i < length; i++)
            for (var lane = 0; lane < width; lane++) rows[i * width + lane] = signals[lane][i] * factors[i];
    }

    // Four samples of eight signals: signals 0 to 3 in the lower halves and 4 to 7 in the upper ones, each a transpose of 4 x 4.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void FourRows(float** signals, int at, int width, float* rows, float* factors)
    {
        Vector256<float> a = Both(signals, at), b = Both(signals + 1, at), c = Both(signals + 2, at), d = Both(signals + 3, at);
        Vector256<float> abLow = Avx.UnpackLow(a, b), abHigh = Avx.UnpackHigh(a, b), cdLow = Avx.UnpackLow(c, d), cdHigh = Avx.UnpackHigh(c, d);
        (Avx.Shuffle(abLow, cdLow, 0x44) * factors[0]).Store(rows);
        (Avx.Shuffle(abLow, cdLow, 0xEE) * factors[1]).Store(rows + width);
        (Avx.Shuffle(abHigh, cdHigh, 0x44) * factors[2]).Store(rows + 2 * width);
        (Avx.Shuffle(abHigh, cdHigh, 0xEE) * factors[3]).Store(rows + 3 * width);
    }

    // The same of sixteen signals, in quarters.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void FourWideRows(float** signals, int at, float* rows, float* factors)
    {
        Vector512<float> a = Quarters(signals, at), b = Quarters(signals + 1, at), c = Quarters(signals + 2, at), d = Quarters(signals + 3, at);
        Vector512<float> abLow = Avx512F.UnpackLow(a, b), abHigh = Avx512F.UnpackHigh(a, b), cdLow = Avx512F.UnpackLow(c, d), cdHigh = Avx512F.UnpackHigh(c, d);
        (Avx512F.Shuffle(abLow, cdLow, 0x44) * factors[0]).Store(rows);
        (Avx512F.Shuffle(abLow, cdLow, 0xEE) * factors[1]).Store(rows + 16);
        (Avx512F.Shuffle(abHigh, cdHigh, 0x44) * factors[2]).Store(rows + 32);
        (Avx512F.Shuffle(abHigh, cdHigh, 0xEE) * factors[3]).Store(rows + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<float> Quarters(float** signals, int at) => Vector512.Create(Both(signals, at), Both(signals + 8, at));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Both(float** signals, int at) => Vector256.Create(Vector128.Load(signals[0] + at), Vector128.Load(signals[4] + at));
}
