namespace BirdResearch.Data;

/// <summary>Which recordings an epoch takes when the number of a class is limited below or above. A recording counts for the first of its labels.</summary>
static class ClassQuota
{
    /// <summary>How many recordings an epoch takes; the same in every epoch.</summary>
    public static int Count(IReadOnlyList<Clip> clips, int most, int least) =>
        clips.CountBy(ClassOf).Sum(c => most > 0 && c.Value > most ? most : Math.Max(c.Value, least));

    /// <summary>
    /// The recordings of an epoch, some of them several times. Those of a class take turns in an order of the seed's, so that over
    /// the epochs they come equally often, to within one.
    /// </summary>
    public static IReadOnlyList<Clip> Of(IReadOnlyList<Clip> clips, int most, int least, long seed, int epoch)
    {
        if (most == 0 && least == 0) return clips;
        var taken = new List<Clip>();
        foreach (var members in clips.GroupBy(ClassOf).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            Clip[] queue = [.. members.OrderBy(c => c.Id, StringComparer.Ordinal)];
            var want = most > 0 && queue.Length > most ? most : Math.Max(queue.Length, least);
            new CounterRandom(seed, CounterRandom.KeyOf("turn"), CounterRandom.KeyOf(members.Key)).Shuffle(queue.AsSpan());
            for (var i = 0; i < want; i++) taken.Add(queue[((long)epoch * want + i) % queue.Length]);
        }
        return taken;
    }

    static string ClassOf(Clip clip) => clip.Labels.Count > 0 ? clip.Labels[0] : "";
}
