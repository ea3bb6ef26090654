namespace BirdResearch.Data;

/// <summary>Where something is heard in a clip, in steps of about an eighth of a second.</summary>
/// <param name="StepSamples">Samples of one step.</param>
/// <param name="Energy">Mean power of each step between the edges that were asked for.</param>
/// <param name="Signal">
/// How clearly each step stands out from the recording's own noise: 0 not at all, 1 by 10 dB, 4 by 20 dB (the square of bels).
/// </param>
public sealed record SoundActivity(int StepSamples, float[] Energy, float[] Signal)
{
    /// <summary>First sample of the window of most energy, a whole number of steps from the start.</summary>
    /// <param name="windowSamples">Length of the window.</param>
    /// <param name="room">Last sample that a window can begin at.</param>
    public long Loudest(int windowSamples, long room)
    {
        var steps = Math.Max(1, (windowSamples + StepSamples / 2) / StepSamples);
        var (best, most) = (0, double.NegativeInfinity);
        for (var i = 0; i == 0 || ((long)i * StepSamples <= room && i + steps <= Energy.Length); i++)
        {
            var sum = 0.0;
            for (var j = i; j < Math.Min(i + steps, Energy.Length); j++) sum += Energy[j];
            if (sum > most) (best, most) = (i, sum);
        }
        return Math.Min((long)best * StepSamples, room);
    }

    /// <summary>
    /// First sample of a window that holds sound which stands out: an instant of it is drawn, the clearer the likelier, then a place of the window around that;
    /// null where nothing stands out.
    /// </summary>
    /// <param name="random">Draws both.</param>
    /// <param name="windowSamples">Length of the window.</param>
    /// <param name="room">Last sample that a window can begin at.</param>
    public long? Around(CounterRandom random, int windowSamples, long room)
    {
        var total = 0.0;
        foreach (var clear in Signal) total += clear;
        if (total <= 0) return null;
        var left = random.NextDouble() * total;
        var step = 0;
        while (step < Signal.Length - 1 && (left -= Signal[step]) >= 0) step++;
        var instant = (long)step * StepSamples + random.NextLong(StepSamples);
        var margin = Math.Min(4L * StepSamples, windowSamples / 4);   // half a second of it shall be inside
        var low = Math.Clamp(instant - windowSamples + margin, 0, room);
        var high = Math.Clamp(instant - margin, low, room);
        return low + random.NextLong(high - low + 1);
    }
}
