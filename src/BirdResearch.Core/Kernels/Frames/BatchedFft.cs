using System.Numerics;
using System.Runtime.Intrinsics;

namespace BirdResearch.Kernels;

/// <summary>
/// Power spectra of several real signals at once, one per vector lane: every step is a plain vector operation on a row of lanes, without
/// shuffles. The real transform of size N is a complex one of N / 2 (radix 8, decimation in frequency, in place), taken apart
/// afterwards. A lane's result does not depend on the other lanes or on their number.
/// </summary>
public sealed unsafe class BatchedFft
{
    /// <summary>Smallest and largest size.</summary>
    public const int Smallest = 16, Largest = 8192;

    internal const int Radix = 8;

    /// <param name="size">Length N of the real signals, a power of two.</param>
    public BatchedFft(int size)
    {
        if (!Takes(size)) throw new ArgumentException($"A batched FFT's size must be a power of two from {Smallest} to {Largest}, not {size}.");
        (Size, Half) = (size, size / 2);
        var passes = new List<float[]>();
        for (var n = Half; n > Radix; n /= Radix)
            passes.Add([.. from j in Enumerable.Range(1, n / Radix - 1) from p in Enumerable.Range(1, Radix - 1) from part in Root(j * p, n) select part]);
        Twiddles = [.. passes];
        Unpacking = [.. Enumerable.Range(0, Half / 2 + 1).SelectMany(k => Root(k, size))];
        Places = [.. Enumerable.Range(0, Half).Select(k => Place(k, Half))];
    }

    /// <summary>Numbers of signals that can be transformed at once here.</summary>
    public static IReadOnlyList<int> Widths { get; } = Lanes512.IsSupported && Vector512.IsHardwareAccelerated ? [8, 16] : [8];

    /// <summary>Length N of the signals.</summary>
    public int Size { get; }

    /// <summary>N / 2, the length of the complex transform.</summary>
    internal int Half { get; }

    /// <summary>Per pass: e^(-2 pi i j p / n) for p = 1 to 7, for j = 1, 2, ...</summary>
    internal float[][] Twiddles { get; }

    /// <summary>e^(-2 pi i k / N).</summary>
    internal float[] Unpacking { get; }

    /// <summary>Pair of rows in which output k of the complex transform ends up.</summary>
    internal int[] Places { get; }

    /// <summary>Whether there is a transform of that size.</summary>
    public static bool Takes(int size) => BitOperations.IsPow2(size) && size is >= Smallest and <= Largest;

    /// <summary>Four times the squared magnitudes (the factor is exact and costs nothing to take off later).</summary>
    /// <param name="width">Signals at once, one of <see cref="Widths"/>.</param>
    /// <param name="rows">N rows of so many numbers: the samples, lane by lane; overwritten.</param>
    /// <param name="powers">N / 2 + 1 rows.</param>
    public void Powers(int width, Span<float> rows, Span<float> powers)
    {
        if (!Widths.Contains(width)) throw new ArgumentException($"Signals are transformed {string.Join(" or ", Widths)} at once here, not {width}.");
        if (rows.Length < Size * width || powers.Length < (Half + 1) * width)
            throw new ArgumentException($"A batched FFT of {Size} takes {Size} and {Half + 1} rows of {width} numbers.");
        fixed (float* r = rows, p = powers)
        {
            if (width == Lanes512.Width) FftEngine<Vector512<float>, Lanes512>.Powers(this, r, p);
            else FftEngine<Vector256<float>, Lanes256>.Powers(this, r, p);
        }
    }

    static int Place(int k, int n)
    {
        if (n == 1) return 0;
        var radix = Math.Min(n, Radix);
        return k % radix * (n / radix) + Place(k / radix, n / radix);
    }

    static float[] Root(int k, int n) => [(float)Math.Cos(2 * Math.PI * k / n), (float)-Math.Sin(2 * Math.PI * k / n)];
}
