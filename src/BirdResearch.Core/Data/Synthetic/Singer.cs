namespace BirdResearch.Data;

/// <summary>One note in time: seconds from the song's start.</summary>
readonly record struct Note(Syllable Syllable, double Start, double Octaves, double Tempo, double Gain)
{
    public double End => Start + Syllable.Seconds / Tempo;
}

/// <summary>A song or a bout of calls as it is sung once.</summary>
sealed record Song(IReadOnlyList<Note> Notes)
{
    /// <summary>From the first note's start to the last one's end.</summary>
    public double Seconds { get; } = Notes.Max(n => n.End);

    /// <summary>Sound alone, without room: a new track just long enough.</summary>
    public float[] Render(int sampleRate, CounterRandom random)
    {
        var track = new float[(int)(Seconds * sampleRate) + 1];
        foreach (var note in Notes)
        {
            note.Syllable.AddTo(track.AsSpan((int)(note.Start * sampleRate)), sampleRate, note.Octaves, note.Tempo, note.Gain, random);
        }
        return track;
    }

    /// <summary>Mean square of a rendering of this song over the time that notes sound.</summary>
    public double Power(ReadOnlySpan<float> rendering, int sampleRate)
    {
        var energy = 0.0;
        foreach (var sample in rendering) energy += (double)sample * sample;
        return energy / Math.Max(1, Notes.Sum(n => n.Syllable.Seconds / n.Tempo) * sampleRate);
    }
}

/// <summary>An individual bird: its species' grammar, a little higher or lower, faster or slower, with habits of its own.</summary>
sealed class Singer
{
    readonly double _octaves, _tempo;
    readonly int _more;
    readonly bool _swaps;

    /// <param name="species">What it sings.</param>
    /// <param name="random">What makes it this individual.</param>
    public Singer(SyntheticSpecies species, CounterRandom random)
    {
        Species = species;
        _octaves = 0.07 * random.NextGaussian();
        _tempo = Math.Exp(0.09 * random.NextGaussian());
        _more = random.NextInt(-1, 3);
        _swaps = random.NextInt(4) == 0;
    }

    public SyntheticSpecies Species { get; }

    /// <summary>A full song, each time a little different: the last phrase may be missing, counts and pitch vary.</summary>
    public Song Sing(CounterRandom random)
    {
        var phrases = Species.Song.ToArray();
        if (_swaps) (phrases[0], phrases[1]) = (phrases[1], phrases[0]);
        if (phrases.Length > 2 && random.NextInt(5) == 0) phrases = phrases[..2];
        return Perform(phrases, _more, random);
    }

    /// <summary>A bout of calls.</summary>
    public Song Call(CounterRandom random) => Perform(Species.Call, random.NextInt(0, 3), random);

    /// <summary>Silence before the next song.</summary>
    public double Pause(CounterRandom random) => Species.PauseSeconds * Math.Exp(0.35 * random.NextGaussian());

    Song Perform(IReadOnlyList<Phrase> phrases, int more, CounterRandom random)
    {
        var notes = new List<Note>();
        var (at, octaves, tempo) = (0.0, _octaves + 0.015 * random.NextGaussian(), _tempo * Math.Exp(0.03 * random.NextGaussian()));
        foreach (var phrase in phrases)
        {
            var count = phrase.Count > 2 ? Math.Max(2, phrase.Count + more + random.NextInt(-1, 2)) : phrase.Count;
            for (var i = 0; i < count; i++)
            {
                var faster = tempo * Math.Pow(phrase.Tempo, i);
                var decibels = phrase.Decibels * i + 0.8 * random.NextGaussian();
                var higher = octaves + phrase.Octaves * i + 0.008 * random.NextGaussian();
                var note = new Note(phrase.Syllable, at, higher, faster, 0.3 * Math.Pow(10, decibels / 20));
                notes.Add(note);
                at = note.End + phrase.Gap / faster * Math.Exp(0.06 * random.NextGaussian());
            }
            at += random.NextDouble(0.02, 0.1);
        }
        return new(notes);
    }
}
