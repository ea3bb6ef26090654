namespace BirdResearch.Data;

/// <summary>
/// How a place answers: six early reflections and a tail from a feedback delay network of eight lines (Jot and Chaigne 1991) with a
/// Householder matrix, whose high frequencies die first, as among leaves.
/// </summary>
sealed class Room
{
    static readonly double[] LineSeconds = [0.0229, 0.0281, 0.0331, 0.0389, 0.0443, 0.0521, 0.0587, 0.0661];

    readonly int[] _lines;
    readonly double[] _gains;
    readonly double _damping;
    readonly (int Delay, float Gain)[] _early = new (int, float)[6];

    /// <param name="sampleRate">In Hz.</param>
    /// <param name="seconds">Time in which the tail falls by 60 dB.</param>
    /// <param name="random">Where the walls are.</param>
    public Room(int sampleRate, double seconds, CounterRandom random)
    {
        var size = random.NextDouble(0.8, 1.25);
        _lines = [.. LineSeconds.Select(s => Math.Max(1, (int)(s * size * random.NextDouble(0.97, 1.03) * sampleRate)))];
        _gains = [.. _lines.Select(length => Math.Pow(10, -3 * length / (seconds * sampleRate)))];
        _damping = Math.Exp(-2 * Math.PI * random.NextDouble(3500, 6000) / sampleRate);
        for (var i = 0; i < _early.Length; i++)
        {
            var delay = random.NextDouble(0.006, 0.012) * (i + 1);
            _early[i] = ((int)(delay * sampleRate), (float)(0.5 / (i + 1) * (random.NextInt(2) == 0 ? 1 : -1)));
        }
    }

    /// <summary>Adds the reflections and the tail of <paramref name="sent"/> to a track of the same length.</summary>
    public void AddTo(Span<float> track, ReadOnlySpan<float> sent)
    {
        foreach (var (delay, gain) in _early)
        {
            for (var i = delay; i < track.Length; i++) track[i] += gain * sent[i - delay];
        }

        var lines = _lines.Select(length => new float[length]).ToArray();
        var at = new int[lines.Length];
        var low = new double[lines.Length];
        for (var i = 0; i < track.Length; i++)
        {
            var (sum, heard, sign) = (0.0, 0.0, 1.0);
            for (var k = 0; k < lines.Length; k++)
            {
                low[k] += (1 - _damping) * (_gains[k] * lines[k][at[k]] - low[k]);
                sum += low[k];
                heard += sign * low[k];
                sign = -sign;
            }
            track[i] += (float)(0.5 * heard);
            var mixed = sent[i] - 2.0 / lines.Length * sum;   // Householder: x - 2/N sum(x)
            for (var k = 0; k < lines.Length; k++)
            {
                lines[k][at[k]] = (float)(low[k] + mixed);
                if (++at[k] == lines[k].Length) at[k] = 0;
            }
        }
    }
}
