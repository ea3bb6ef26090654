namespace BirdResearch.Data;

/// <summary>The families that a species' notes come from.</summary>
enum SyllableKind
{
    Whistle,
    Sweep,
    Chip,
    Warble,
    Buzz,
    Stack,
    Rattle,
}

static class SyllableKinds
{
    /// <summary>A note of this family around a frequency in Hz.</summary>
    public static Syllable Draw(this SyllableKind kind, CounterRandom random, double centre)
    {
        double Between(double low, double high) => random.NextDouble(low, high);
        var sign = random.NextInt(2) == 0 ? -1 : 1;
        return kind switch
        {
            SyllableKind.Whistle => new(Between(0.14, 0.45), centre, [.. Shape(random, 3, 0.05)], [1, 0.06, 0.02], 0.2)
            {
                WobbleRate = Between(5, 9),
                WobbleDepth = Between(0, 0.012),
            },
            SyllableKind.Sweep => new(
                Between(0.07, 0.22), centre, SweepContour(random, sign * Between(0.25, 0.8)), [1, Between(0.05, 0.25), 0.05], 0.15),
            SyllableKind.Chip => new(Between(0.025, 0.06), centre, [sign * 0.5, 0, -sign * Between(0.3, 0.8)], [1, 0.3, 0.12, 0.05], 0.1),
            SyllableKind.Warble => new(Between(0.2, 0.55), centre, [.. Shape(random, 4, 0.2)], [1, 0.12, 0.04], 0.1)
            {
                WobbleRate = Between(14, 32),
                WobbleDepth = Between(0.08, 0.2),
            },
            SyllableKind.Buzz => new(Between(0.2, 0.6), centre, [.. Shape(random, 3, 0.12)], [1, 0.2, 0.08], 0.12)
            {
                WobbleRate = Between(70, 190),
                WobbleDepth = Between(0.06, 0.2),
                PulseRate = Between(70, 190),
                PulseDepth = Between(0.2, 0.8),
                Roughness = Between(0.01, 0.05),
            },
            SyllableKind.Stack => Stack(random, centre),
            SyllableKind.Rattle => new(Between(0.25, 0.6), centre, [.. Shape(random, 3, 0.15)], [1, 0.25, 0.1], 0.1)
            {
                PulseRate = Between(22, 48),
                PulseDepth = 1,
                WobbleRate = Between(22, 48),
                WobbleDepth = Between(0.02, 0.1),
            },
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    /// <summary>A nasal note: a low fundamental with many harmonics, loudest around the centre.</summary>
    static Syllable Stack(CounterRandom random, double centre)
    {
        var pitch = centre / random.NextInt(3, 6);
        var width = random.NextDouble(0.35, 0.7);
        var harmonics = new double[12];
        for (var n = 1; n <= harmonics.Length; n++)
        {
            var octaves = Math.Log2(n * pitch / centre) / width;
            harmonics[n - 1] = 0.8 * Math.Exp(-0.5 * octaves * octaves);
        }
        return new(random.NextDouble(0.09, 0.32), pitch, [.. Shape(random, 3, 0.22)], harmonics, 0.15)
        {
            Roughness = random.NextDouble(0, 0.02),
        };
    }

    static IEnumerable<double> Shape(CounterRandom random, int points, double octaves)
    {
        for (var i = 0; i < points; i++) yield return random.NextDouble(-octaves, octaves);
    }

    /// <summary>Rising, falling, hooked, arched or S-shaped.</summary>
    static double[] SweepContour(CounterRandom random, double octaves) => random.NextInt(5) switch
    {
        0 or 1 => [-octaves / 2, random.NextDouble(-0.1, 0.1), octaves / 2],
        2 => [-octaves / 2, octaves / 2, -octaves / 2],
        3 => [-octaves / 2, octaves / 2, octaves / 3, octaves / 3],
        _ => [0, octaves / 2, -octaves / 2, 0],
    };
}
