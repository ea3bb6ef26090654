namespace BirdResearch.Data;

/// <summary>One focal recording to be made.</summary>
/// <param name="Id">File stem, such as <c>XS100001</c>.</param>
/// <param name="Species">Who sings.</param>
/// <param name="Author">Who recorded; one author records one individual per species.</param>
/// <param name="Calls">Whether the bird calls instead of singing.</param>
/// <param name="Seconds">Length.</param>
/// <param name="Background">Another species, faintly heard; null for none.</param>
/// <param name="SnrDb">Level of the song over the recorder's noise.</param>
/// <param name="Place">Latitude and longitude in degrees; null where not known.</param>
sealed record FocalPlan(
    string Id, SyntheticSpecies Species, string Author, bool Calls, double Seconds, SyntheticSpecies? Background, double SnrDb,
    (double, double)? Place)
{
    public string File => $"{Species.Code}/{Id}.ogg";
}

/// <summary>One song of one bird in a soundscape, in seconds from its start.</summary>
sealed record SongEvent(double Start, SyntheticSpecies Species, string Individual, double Metres, double SnrDb, bool Distant, Song Song)
{
    public double End => Math.Round(Start + Song.Seconds, 3);
}

/// <summary>One soundscape to be made.</summary>
sealed record SoundscapePlan(string Id, int Seconds, NoiseKinds Noises, double ReverbSeconds, IReadOnlyList<SongEvent> Events)
{
    /// <summary>Least overlap of a song with a window for its species to count as heard there, in seconds.</summary>
    public const double LeastHeard = 0.4;

    /// <summary>Windows of 5 s by their end second, each with the species heard in it.</summary>
    public IEnumerable<(int End, IReadOnlySet<string> Heard)> Windows()
    {
        for (var end = 5; end <= Seconds; end += 5)
        {
            var heard = Events.Where(e => Math.Min(e.End, end) - Math.Max(e.Start, end - 5) >= LeastHeard).Select(e => e.Species.Code);
            yield return (end, new SortedSet<string>(heard, StringComparer.Ordinal));
        }
    }
}

/// <summary>Everything that will be made, before a sample of it is: a pure function of the settings.</summary>
sealed class SyntheticPlan
{
    static readonly string[] FirstNames =
        ["Ada", "Bo", "Cleo", "Dag", "Edda", "Finn", "Gil", "Hope", "Ivo", "June", "Kai", "Lena", "Milo", "Nora", "Otto", "Pia"];
    static readonly string[] LastNames =
        ["Alder", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Juniper", "Larch", "Maple", "Oak", "Pine", "Rowan", "Spruce", "Willow", "Yew"];
    const int AuthorsPerSpecies = 6;

    readonly SyntheticBirdsSettings _settings;

    public SyntheticPlan(SyntheticBirdsSettings settings)
    {
        _settings = settings;
        Species = SyntheticSpecies.All(settings.Seed, settings.Species);
        Focal = [.. PlanFocal()];
        var deck = Deck("soundscapes");
        SoundscapePlan[] Plans(char series, int count, int seconds) =>
            [.. Enumerable.Range(1, count).Select(i => PlanSoundscape($"soundscape_{series}_{i:00}", seconds, deck))];
        Soundscapes = Plans('s', settings.Soundscapes, settings.SoundscapeSeconds);
        Unlabelled = Plans('u', settings.UnlabelledSoundscapes, 10);
        NoCall = [.. Enumerable.Range(1, settings.NoCallRecordings).Select(i => PlanScene($"nocall_{i:00}", 10))];
    }

    public IReadOnlyList<SyntheticSpecies> Species { get; }

    public IReadOnlyList<FocalPlan> Focal { get; }

    public IReadOnlyList<SoundscapePlan> Soundscapes { get; }

    public IReadOnlyList<SoundscapePlan> Unlabelled { get; }

    public IReadOnlyList<SoundscapePlan> NoCall { get; }

    CounterRandom Random(string what, string of = "") => new(_settings.Seed, CounterRandom.KeyOf(what), CounterRandom.KeyOf(of));

    IEnumerable<FocalPlan> PlanFocal()
    {
        var number = 100_000;
        var names = FirstNames.SelectMany(first => LastNames.Select(last => $"{first} {last}")).ToArray();
        Random("authors").Shuffle(names.AsSpan());
        var pool = Math.Min(names.Length, Math.Max(AuthorsPerSpecies, 2 * Species.Count));
        foreach (var species in Species)
        {
            var random = Random("recordings", species.Code);
            var count = Math.Max(1, (int)Math.Round(_settings.RecordingsPerSpecies * random.NextDouble(0.6, 1.4)));
            var authors = names[..pool];
            random.Shuffle(authors.AsSpan());
            for (var i = 0; i < count; i++)
            {
                // The square favours the first authors: some are busy, some send one recording.
                var author = authors[(int)(AuthorsPerSpecies * Math.Pow(random.NextDouble(), 1.5))];
                var other = Species[random.NextInt(Species.Count)];
                yield return new(
                    $"XS{++number}", species, author, random.NextInt(10) < 3,
                    random.NextDouble(_settings.ShortestFocalSeconds, _settings.LongestFocalSeconds),
                    random.NextInt(4) == 0 && other != species ? other : null, random.NextDouble(20, 45),
                    random.NextInt(7) == 0 ? null : (Math.Round(random.NextDouble(8, 13), 4), Math.Round(random.NextDouble(74, 78), 4)));
            }
        }
    }

    /// <summary>Species dealt like cards, so that every one is heard before one comes again.</summary>
    IEnumerator<SyntheticSpecies> Deck(string name)
    {
        var random = Random("deck", name);
        while (true)
        {
            var cards = Species.ToArray();
            random.Shuffle(cards.AsSpan());
            foreach (var card in cards) yield return card;
        }
    }

    SoundscapePlan PlanSoundscape(string id, int seconds, IEnumerator<SyntheticSpecies> deck)
    {
        var random = Random("soundscape", id);
        var noises = Noises(random);
        var empty = Enumerable.Range(0, seconds / 5).Select(_ => random.NextDouble() < _settings.EmptyShare).ToArray();
        bool Free(double start, double end)
        {
            var (first, last) = ((int)(start / 5), Math.Min((int)(end / 5), empty.Length - 1));
            return !empty[first..(last + 1)].Contains(true);
        }

        var events = new List<SongEvent>();
        for (var (bird, birds) = (1, Math.Max(1, seconds * random.NextInt(_settings.FewestBirdsPerMinute, _settings.MostBirdsPerMinute + 1) / 60)); bird <= birds; bird++)
        {
            deck.MoveNext();
            var singer = new Singer(deck.Current, random);
            var far = random.NextDouble();   // 0 nearest, 1 farthest, evenly in the logarithm
            var metres = _settings.NearestMetres * Math.Pow(_settings.FarthestMetres / _settings.NearestMetres, far);
            var snr = _settings.HighestSnrDb + far * (_settings.LowestSnrDb - _settings.HighestSnrDb);
            var calls = random.NextInt(4) == 0;
            var (from, until) = (random.NextDouble(0, 0.5) * seconds, random.NextDouble(0.6, 1) * seconds);
            for (var at = from; at < until;)
            {
                var song = calls ? singer.Call(random) : singer.Sing(random);
                var end = at + song.Seconds;
                var taken = random.NextDouble() >= _settings.Overlap && events.Any(e => e.Start < end && at < e.End);
                if (end <= seconds - 0.05 && !taken && Free(at, end))
                {
                    var loudness = Math.Clamp(snr + random.NextGaussian(), _settings.LowestSnrDb, _settings.HighestSnrDb);
                    var (start, level) = (Math.Round(at, 3), Math.Round(loudness, 1));
                    events.Add(new(start, singer.Species, $"{id} bird {bird}", metres, level, far > 0.5, song));
                }
                at = end + singer.Pause(random) * 1.5;
            }
        }
        return new(id, seconds, noises, Reverb(id), [.. events.OrderBy(e => e.Start).ThenBy(e => e.Species.Code, StringComparer.Ordinal)]);
    }

    /// <summary>A place without birds.</summary>
    SoundscapePlan PlanScene(string id, int seconds) => new(id, seconds, Noises(Random("soundscape", id)), Reverb(id), []);

    NoiseKinds Noises(CounterRandom random)
    {
        NoiseKinds[] kinds = [NoiseKinds.Wind, NoiseKinds.Rain, NoiseKinds.Insects, NoiseKinds.Stream];
        kinds = [.. kinds.Where(k => _settings.Noises.HasFlag(k))];
        random.Shuffle(kinds.AsSpan());
        return kinds.Take(random.NextInt(_settings.FewestNoises, _settings.MostNoises + 1)).Aggregate(NoiseKinds.None, (all, kind) => all | kind);
    }

    double Reverb(string id) => Math.Round(Random("room", id).NextDouble(_settings.ShortestReverbSeconds, _settings.LongestReverbSeconds), 2);
}
