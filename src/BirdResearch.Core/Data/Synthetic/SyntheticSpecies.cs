namespace BirdResearch.Data;

/// <summary>A stretch of a song: one syllable some times in a row.</summary>
/// <param name="Syllable">Which of the species' syllables.</param>
/// <param name="Count">How often, in the species' mean.</param>
/// <param name="Gap">Silence after each, in seconds.</param>
/// <param name="Tempo">Factor on the tempo from one to the next.</param>
/// <param name="Octaves">Change of pitch from one to the next.</param>
/// <param name="Decibels">Change of level from one to the next.</param>
sealed record Phrase(Syllable Syllable, int Count, double Gap, double Tempo, double Octaves, double Decibels);

/// <summary>An invented bird: its names, the notes it has and how it puts them in order. A pure function of seed and number.</summary>
sealed class SyntheticSpecies
{
    // Few centres for many species: which one a bird sings around tells little about which bird it is.
    static readonly double[] Centres = [2300, 3400, 4700];

    // The first two letters make the code, so they differ.
    static readonly (string Common, string Genus)[] Families =
    [
        ("Warbler", "Sylvanella"), ("Thrush", "Turdinella"), ("Finch", "Fringillastra"), ("Bunting", "Emberizella"),
        ("Robin", "Erithacella"), ("Lark", "Alaudina"), ("Oriole", "Oriolastra"), ("Sparrow", "Passerina"), ("Vireo", "Vireolina"),
        ("Tanager", "Thraupella"), ("Nuthatch", "Sittina"), ("Pipit", "Anthella"), ("Chat", "Saxicolina"), ("Flycatcher", "Muscicapella"),
        ("Starling", "Sturnastra"), ("Grosbeak", "Pheuctella"), ("Munia", "Lonchurina"), ("Siskin", "Spinulina"),
        ("Redstart", "Phoenicurella"), ("Cisticola", "Cisticolina"), ("Dipper", "Cinclastra"), ("Honeyeater", "Meliphagella"), ("Accentor", "Prunellina"),
        ("Shrike", "Laniella"),
    ];

    static readonly (string Common, string Epithet)[] Looks =
    [
        ("Amber", "electrina"), ("Grey-backed", "griseidorsa"), ("Copper", "cuprea"), ("Dusky", "obscura"), ("Fern", "filicis"),
        ("Harlequin", "picta"), ("Ivory-throated", "eburnea"), ("Marsh", "palustris"), ("Silver", "argentea"),
    ];

    SyntheticSpecies(long seed, int number)
    {
        var random = new CounterRandom(seed, CounterRandom.KeyOf("species"), number);
        var (family, look) = (Families[number % Families.Length], Looks[number / Families.Length]);
        Code = $"syn{family.Common[..2].ToLowerInvariant()}{number / Families.Length + 1}";
        CommonName = $"{look.Common} {family.Common}";
        ScientificName = $"{family.Genus} {look.Epithet}";

        var centre = Centres[random.NextInt(Centres.Length)] * Math.Pow(2, random.NextDouble(-0.25, 0.25));
        var kinds = Enum.GetValues<SyllableKind>();
        random.Shuffle(kinds);
        Syllable Note(int i) => kinds[i].Draw(random, centre * Math.Pow(2, random.NextDouble(-0.45, 0.45)));
        var phrases = new List<Phrase>();
        for (var (i, count) = (0, random.NextInt(2, 4)); i < count; i++) phrases.Add(Draw(random, Note(i), count));
        Song = phrases;
        var (call, gap) = (Note(3), random.NextDouble(0.15, 0.4));
        var calls = Math.Max(3, (int)Math.Ceiling(random.NextDouble(0.9, 1.6) / (call.Seconds + gap)));
        Call = [new(call, calls, gap, 1, 0, random.NextDouble(-0.5, 0))];
        PauseSeconds = random.NextDouble(1.0, 2.6);
    }

    /// <summary>The first <paramref name="count"/> species of a seed.</summary>
    public static SyntheticSpecies[] All(long seed, int count) =>
        [.. Enumerable.Range(0, count).Select(number => new SyntheticSpecies(seed, number))];

    /// <summary>Six characters, such as <c>synwa1</c>.</summary>
    public string Code { get; }

    public string CommonName { get; }

    public string ScientificName { get; }

    /// <summary>The phrases of a full song, in order.</summary>
    public IReadOnlyList<Phrase> Song { get; }

    /// <summary>The short call: one note, repeated.</summary>
    public IReadOnlyList<Phrase> Call { get; }

    /// <summary>Mean silence between two songs of one bird.</summary>
    public double PauseSeconds { get; }

    static Phrase Draw(CounterRandom random, Syllable note, int phrases)
    {
        // Short notes come in trills, long ones once or twice; a phrase takes about its share of a two-second song.
        var gap = random.NextDouble(0.02, 0.12);
        var room = random.NextDouble(0.6, 1.2) * 2 / phrases;
        var count = Math.Clamp((int)Math.Round(room / (note.Seconds + gap)), 1, 16);
        return new(note, count, gap, 1 + random.NextDouble(-0.03, 0.04), random.NextDouble(-0.04, 0.03), random.NextDouble(-0.6, 0.6));
    }
}
