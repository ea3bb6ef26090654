using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BirdResearch.Audio;

/// <summary>
/// Band-limited change of sample rate by a polyphase windowed sinc, zero phase (an instant stays where it is).
/// The filter is a sinc under a Kaiser window for 110 dB, with N the lower of the two Nyquist frequencies:
/// flat within 0.001 dB up to 0.91 N, at least 105 dB down from N on, so nothing aliases into the pass band or out of the transition band.
/// </summary>
public sealed class Resampler
{
    /// <summary>Lowest rate in Hz that is read or made.</summary>
    public const int LowestRate = 4_000;

    /// <summary>Highest rate in Hz that is read or made.</summary>
    public const int HighestRate = 384_000;

    const double PassEdge = 0.91, StopEdge = 1.0, Attenuation = 110;
    const int FinePhases = 2048, LargestTable = 1 << 20, LargestCache = 32;

    static readonly ConcurrentDictionary<(int, int), Resampler> Cache = new();

    readonly long _up, _down;      // to / from in lowest terms
    readonly int _half, _stride;   // taps on each side of an instant; taps per row, padded to whole vectors
    readonly int _phases;          // rows of the table less one
    readonly float[] _table;       // (phases + 1, stride): row p holds the filter for an instant p / phases after a sample

    Resampler(int from, int to)
    {
        (From, To) = (from, to);
        var common = (int)BigInteger.GreatestCommonDivisor(from, to);
        (_up, _down) = (to / common, from / common);

        // Kaiser's estimates: length from attenuation and transition width, beta from attenuation.
        var nyquist = 0.5 * Math.Min(from, to) / from;                                       // cycles per input sample
        var width = 2 * Math.PI * (StopEdge - PassEdge) * nyquist;
        _half = (int)Math.Ceiling(((Attenuation - 7.95) / (2.285 * width) + 1) / 2);
        _stride = (2 * _half + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

        // Every phase that occurs when they are few; else a table fine enough that a straight line between two rows stays below -120 dB.
        _phases = _up * _stride <= LargestTable ? (int)_up : Math.Max(16, (int)(FinePhases * Math.Min(1.0, (double)to / from)));
        _table = new float[(_phases + 1) * _stride];
        var row = new double[2 * _half];
        for (var p = 0; p <= _phases; p++)
        {
            var sum = 0.0;
            for (var k = 0; k < row.Length; k++)
            {
                sum += row[k] = Filter(k - (_half - 1) - (double)p / _phases, 0.5 * (PassEdge + StopEdge) * nyquist, _half);
            }
            for (var k = 0; k < row.Length; k++) _table[p * _stride + k] = (float)(row[k] / sum);
        }
    }

    /// <summary>The resampler for a pair of rates in Hz, each between 4 and 384 kHz; made once per pair.</summary>
    public static Resampler Between(int from, int to)
    {
        RequireRate(from);
        RequireRate(to);
        if (Cache.TryGetValue((from, to), out var known)) return known;
        if (Cache.Count >= LargestCache) Cache.Clear();
        return Cache.GetOrAdd((from, to), pair => new(pair.Item1, pair.Item2));
    }

    /// <summary>A sound at another rate in Hz; the same object when it already has that rate.</summary>
    public static Waveform Resample(Waveform sound, int sampleRate)
    {
        RequireRate(sampleRate);
        return sound.SampleRate == sampleRate ? sound : new(Between(sound.SampleRate, sampleRate).Resample(sound.Samples), sampleRate);
    }

    /// <summary>Rate of what goes in, in Hz.</summary>
    public int From { get; }

    /// <summary>Rate of what comes out, in Hz.</summary>
    public int To { get; }

    /// <summary>How many input samples on each side of an instant its output sample depends on.</summary>
    public int Reach => _half;

    /// <summary>Samples that come out of <paramref name="length"/> samples: <c>ceil(length * to / from)</c>.</summary>
    public long LengthOf(long length) => (length * _up + _down - 1) / _down;

    /// <summary>
    /// The input samples, first and one past last, that the output samples [first, first + count) depend on; they may lie outside the
    /// sound.
    /// </summary>
    public (long First, long End) Needs(long first, long count) =>
        (first * _down / _up - _half + 1, (first + count - 1) * _down / _up + _half + 1);

    /// <summary>The whole of a sound at the new rate; outside it there is silence.</summary>
    public float[] Resample(ReadOnlySpan<float> samples) => Resample(samples, 0, 0, checked((int)LengthOf(samples.Length)));

    /// <summary>
    /// Output samples [first, first + count) of a longer sound, of which <paramref name="samples"/> is the part that begins at input sample
    /// <paramref name="offset"/>. Bit for bit what <see cref="Resample(ReadOnlySpan{float})"/> of the longer sound gives there, as long as
    /// the part covers <see cref="Needs"/>; what it does not cover is silence.
    /// </summary>
    public float[] Resample(ReadOnlySpan<float> samples, long offset, long first, int count)
    {
        if (count <= 0) return [];
        var (begin, end) = Needs(first, count);
        var padded = new float[checked((int)(end - begin) + _stride)];
        var (from, to) = (Math.Max(begin, offset), Math.Min(end, offset + samples.Length));
        if (to > from) samples[(int)(from - offset)..(int)(to - offset)].CopyTo(padded.AsSpan((int)(from - begin)));

        var output = new float[count];
        ref var sound = ref MemoryMarshal.GetArrayDataReference(padded);
        ref var table = ref MemoryMarshal.GetArrayDataReference(_table);
        for (var i = 0; i < count; i++)
        {
            var (sample, remainder) = Math.DivRem((first + i) * _down, _up);
            ref var x = ref Unsafe.Add(ref sound, (nint)(sample - _half + 1 - begin));
            if (_phases == _up)
            {
                output[i] = Dot(ref x, ref Unsafe.Add(ref table, (nint)(remainder * _stride)), _stride);
            }
            else
            {
                var (row, within) = Math.DivRem(remainder * _phases, _up);
                ref var taps = ref Unsafe.Add(ref table, (nint)(row * _stride));
                var (a, b) = (Dot(ref x, ref taps, _stride), Dot(ref x, ref Unsafe.Add(ref taps, _stride), _stride));
                output[i] = a + (b - a) * ((float)within / _up);
            }
        }
        return output;
    }

    internal static void RequireRate(int rate)
    {
        if (rate is < LowestRate or > HighestRate)
        {
            throw new ArgumentOutOfRangeException(nameof(rate), rate, $"A sample rate lies between {LowestRate} and {HighestRate} Hz.");
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float Dot(ref float x, ref float y, int length)
    {
        var (a, b) = (Vector<float>.Zero, Vector<float>.Zero);
        var i = 0;
        for (; i <= length - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            a = Vector.MultiplyAddEstimate(At(ref x, i), At(ref y, i), a);
            b = Vector.MultiplyAddEstimate(At(ref x, i + Vector<float>.Count), At(ref y, i + Vector<float>.Count), b);
        }
        if (i < length) a = Vector.MultiplyAddEstimate(At(ref x, i), At(ref y, i), a);
        return Vector.Sum(a + b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> At(ref float start, int index) => Vector.LoadUnsafe(ref start, (nuint)index);

    /// <summary>Windowed sinc at time t in input samples: cut-off in cycles per sample, window over [-half, half].</summary>
    static double Filter(double t, double cutoff, int half)
    {
        const double beta = 0.1102 * (Attenuation - 8.7);
        var u = t / half;
        if (u is <= -1 or >= 1) return 0;
        var angle = 2 * Math.PI * cutoff * t;
        var sinc = Math.Abs(angle) < 1e-9 ? 1 : Math.Sin(angle) / angle;
        return 2 * cutoff * sinc * BesselI0(beta * Math.Sqrt(1 - u * u)) / BesselI0(beta);
    }

    /// <summary>Modified Bessel function of the first kind, order zero, by its power series.</summary>
    static double BesselI0(double x)
    {
        var (sum, term) = (1.0, 1.0);
        for (var k = 1; term > 1e-17 * sum; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }
        return sum;
    }
}
