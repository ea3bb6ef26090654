using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace BirdResearch.Data;

/// <summary>
/// How a place answers: six early reflections and a tail from a feedback delay network of eight lines (Jot and Chaigne 1991) with a
/// Householder matrix, whose high frequencies die first, as among leaves.
/// </summary>
sealed class Room
{
    static readonly double[] LineSeconds = [0.0229, 0.0281, 0.0331, 0.0389, 0.0443, 0.0521, 0.0587, 0.0661];

    readonly int[] _lines = new int[8];
    readonly Vector256<float> _gains;
    readonly float _brightness;
    readonly (int Delay, float Gain)[] _early = new (int, float)[6];

    /// <param name="sampleRate">In Hz.</param>
    /// <param name="seconds">Time in which the tail falls by 60 dB.</param>
    /// <param name="random">Where the walls are.</param>
    public Room(int sampleRate, double seconds, CounterRandom random)
    {
        var size = random.NextDouble(0.8, 1.25);
        for (var k = 0; k < _lines.Length; k++)
        {
            _lines[k] = (int)(LineSeconds[k] * size * random.NextDouble(0.97, 1.03) * sampleRate);
            _gains = _gains.WithElement(k, (float)Math.Pow(10, -3 * _lines[k] / (seconds * sampleRate)));
        }
        _brightness = (float)(1 - Air.Kept(random.NextDouble(3500, 6000), sampleRate));
        for (var i = 0; i < _early.Length; i++)
        {
            var delay = random.NextDouble(0.006, 0.012) * (i + 1);
            _early[i] = ((int)(delay * sampleRate), (float)(0.5 / (i + 1) * (random.NextInt(2) == 0 ? 1 : -1)));
        }
    }

    /// <summary>Adds the reflections and the tail of <paramref name="sent"/> to a track of the same length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]   // runs a few times only, each for long: no time to warm up
    public void AddTo(Span<float> track, ReadOnlySpan<float> sent)
    {
        foreach (var (delay, gain) in _early)
        {
            for (var i = delay; i < track.Length; i++) track[i] += gain * sent[i - delay];
        }

        // One ring for all lines: what entered them at time t lies in eight floats from 8 (t & mask) on.
        var mask = (int)BitOperations.RoundUpToPowerOf2((uint)_lines.Max() + 1) - 1;
        var ring = new float[8 * (mask + 1)];
        var (l0, l1, l2, l3, l4, l5, l6, l7) = (_lines[0], _lines[1], _lines[2], _lines[3], _lines[4], _lines[5], _lines[6], _lines[7]);
        var signs = Vector256.Create(0.5f, -0.5f, 0.5f, -0.5f, 0.5f, -0.5f, 0.5f, -0.5f);
        var low = Vector256<float>.Zero;
        for (var i = 0; i < track.Length; i++)
        {
            var ends = Vector256.Create(
                ring[8 * ((i - l0) & mask)], ring[8 * ((i - l1) & mask) + 1],
                ring[8 * ((i - l2) & mask) + 2], ring[8 * ((i - l3) & mask) + 3],
                ring[8 * ((i - l4) & mask) + 4], ring[8 * ((i - l5) & mask) + 5],
                ring[8 * ((i - l6) & mask) + 6], ring[8 * ((i - l7) & mask) + 7]);
            low += _brightness * (_gains * ends - low);
            track[i] += Vector256.Dot(signs, low);
            // Householder: x - 2/8 sum(x). The trace keeps a dying tail from becoming denormal, which is slow.
            var entering = sent[i] + 1e-18f - 0.25f * Vector256.Sum(low);
            (low + Vector256.Create(entering)).CopyTo(ring, 8 * (i & mask));
        }
    }
}
