namespace BirdResearch.Data;

/// <summary>How much bird song <see cref="SyntheticBirds"/> makes, and how hard it is. Equal settings give equal data.</summary>
public sealed record SyntheticBirdsSettings
{
    /// <summary>Number of species, 2 to 200. A species sounds the same whatever the number.</summary>
    public int Species { get; init; } = 12;

    /// <summary>Mean number of focal recordings per species; a species has between 0.6 and 1.4 times as many.</summary>
    public int RecordingsPerSpecies { get; init; } = 14;

    /// <summary>Length of the shortest focal recording, in seconds.</summary>
    public double ShortestFocalSeconds { get; init; } = 6;

    /// <summary>Length of the longest focal recording, in seconds.</summary>
    public double LongestFocalSeconds { get; init; } = 14;

    /// <summary>Number of labelled soundscapes.</summary>
    public int Soundscapes { get; init; } = 8;

    /// <summary>Length of a labelled soundscape in seconds, a multiple of 5.</summary>
    public int SoundscapeSeconds { get; init; } = 60;

    /// <summary>Number of soundscapes without labels, 10 s each.</summary>
    public int UnlabelledSoundscapes { get; init; } = 4;

    /// <summary>Number of recordings of the place without any bird, 10 s each, in <c>nocall/</c>.</summary>
    public int NoCallRecordings { get; init; }

    /// <summary>Rate of every file, in Hz, 16000 or more.</summary>
    public int SampleRate { get; init; } = 32_000;

    /// <summary>What everything is drawn from.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Level of the farthest bird over what else is heard above 1 kHz while it sings, in dB.</summary>
    public double LowestSnrDb { get; init; } = -3;

    /// <summary>Level of the nearest bird over what else is heard above 1 kHz while it sings, in dB.</summary>
    public double HighestSnrDb { get; init; } = 15;

    /// <summary>How readily a bird sings into another's song in a soundscape: 0 never, 1 regardless.</summary>
    public double Overlap { get; init; } = 0.6;

    /// <summary>Distance of the nearest bird in a soundscape, in metres.</summary>
    public double NearestMetres { get; init; } = 8;

    /// <summary>Distance of the farthest bird in a soundscape, in metres; far birds lose their highs and gain reverberation.</summary>
    public double FarthestMetres { get; init; } = 120;

    /// <summary>Shortest time in which a soundscape's reverberation falls by 60 dB, in seconds.</summary>
    public double ShortestReverbSeconds { get; init; } = 0.5;

    /// <summary>Longest time in which a soundscape's reverberation falls by 60 dB, in seconds.</summary>
    public double LongestReverbSeconds { get; init; } = 1.3;

    /// <summary>Level of the reverberation as a factor on what distance alone gives: 0 is an open field, 1 a wood.</summary>
    public double Reverberation { get; init; } = 1;

    /// <summary>Fewest birds in a minute of a soundscape.</summary>
    public int FewestBirdsPerMinute { get; init; } = 5;

    /// <summary>Most birds in a minute of a soundscape.</summary>
    public int MostBirdsPerMinute { get; init; } = 8;

    /// <summary>What may lie under the birds of a soundscape: each takes up to <see cref="MostNoises"/> of these.</summary>
    public NoiseKinds Noises { get; init; } = NoiseKinds.All;

    /// <summary>Fewest kinds of noise in one soundscape, where <see cref="Noises"/> has so many.</summary>
    public int FewestNoises { get; init; }

    /// <summary>Most kinds of noise in one soundscape.</summary>
    public int MostNoises { get; init; } = 2;

    /// <summary>Share of 5 s windows of the soundscapes that are kept free of song, 0 to 0.9.</summary>
    public double EmptyShare { get; init; } = 0.15;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        Require(Species is >= 2 and <= 200, nameof(Species), Species, "2 to 200");
        Require(RecordingsPerSpecies is >= 1 and <= 10_000, nameof(RecordingsPerSpecies), RecordingsPerSpecies, "1 to 10000");
        Require(Ordered(3, ShortestFocalSeconds, LongestFocalSeconds, 600), nameof(LongestFocalSeconds),
            (ShortestFocalSeconds, LongestFocalSeconds), "shortest and longest in order, 3 to 600");
        Require(Soundscapes is >= 0 and <= 9999, nameof(Soundscapes), Soundscapes, "0 to 9999");
        Require(SoundscapeSeconds is >= 5 and <= 600 && SoundscapeSeconds % 5 == 0, nameof(SoundscapeSeconds), SoundscapeSeconds,
            "a multiple of 5, 5 to 600");
        Require(UnlabelledSoundscapes is >= 0 and <= 9999, nameof(UnlabelledSoundscapes), UnlabelledSoundscapes, "0 to 9999");
        Require(NoCallRecordings is >= 0 and <= 9999, nameof(NoCallRecordings), NoCallRecordings, "0 to 9999");
        Require(SampleRate is >= 16_000 and <= 192_000, nameof(SampleRate), SampleRate, "16000 to 192000");
        Require(Ordered(-60, LowestSnrDb, HighestSnrDb, 60), nameof(HighestSnrDb), (LowestSnrDb, HighestSnrDb),
            "lowest and highest in order, -60 to 60");
        Require(Overlap is >= 0 and <= 1, nameof(Overlap), Overlap, "0 to 1");
        Require(Ordered(1, NearestMetres, FarthestMetres, 1000), nameof(FarthestMetres), (NearestMetres, FarthestMetres),
            "nearest and farthest in order, 1 to 1000");
        Require(Ordered(0.05, ShortestReverbSeconds, LongestReverbSeconds, 10), nameof(LongestReverbSeconds),
            (ShortestReverbSeconds, LongestReverbSeconds), "shortest and longest in order, 0.05 to 10");
        Require(Reverberation is >= 0 and <= 10, nameof(Reverberation), Reverberation, "0 to 10");
        Require(Ordered(1, FewestBirdsPerMinute, MostBirdsPerMinute, 120), nameof(MostBirdsPerMinute),
            (FewestBirdsPerMinute, MostBirdsPerMinute), "fewest and most in order, 1 to 120");
        Require(Ordered(0, FewestNoises, MostNoises, 4), nameof(MostNoises), (FewestNoises, MostNoises), "fewest and most in order, 0 to 4");
        Require((Noises & ~NoiseKinds.All) == 0, nameof(Noises), Noises, "a combination of the named kinds");
        Require(EmptyShare is >= 0 and <= 0.9, nameof(EmptyShare), EmptyShare, "0 to 0.9");
    }

    static bool Ordered(double floor, double low, double high, double ceiling) => floor <= low && low <= high && high <= ceiling;

    static void Require(bool holds, string name, object value, string expected)
    {
        if (!holds) throw new ArgumentException($"{nameof(SyntheticBirdsSettings)}: {name} is {value}; expected {expected}.");
    }
}
