namespace BirdResearch.Data;

/// <summary>Recordings and authors on both sides of a data set's splits, by their names; by their sound see <see cref="SharedSound"/>.</summary>
static class SplitLeaks
{
    const string Events = "soundscape_events.csv";

    /// <summary>Recordings first, then authors, each in ordinal order.</summary>
    public static IReadOnlyList<SplitLeak> Of(Dataset data, SplitSides sides) =>
    [
        .. Divided("recording", data.Focal.GroupBy(c => Path.GetFileNameWithoutExtension(c.File)), sides),
        .. TestSources(data),
        .. Divided("author", data.Focal.Where(c => c.Facts.Author is not null).GroupBy(c => c.Facts.Author!), sides),
    ];

    static IEnumerable<SplitLeak> Divided(string kind, IEnumerable<IGrouping<string, Clip>> groups, SplitSides sides)
    {
        foreach (var group in groups.OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            int?[] held = [.. group.Select(c => sides.HeldBy(c.File)).Distinct()];
            if (held.Length > 1) yield return new SplitLeak(kind, group.Key, [.. held.OfType<int>().Order()], Files(group));
        }
    }

    /// <summary>Focal recordings that the labelled soundscapes name among what they were composed of.</summary>
    static IEnumerable<SplitLeak> TestSources(Dataset data)
    {
        var path = Path.Combine(data.Root, Events);
        if (!File.Exists(path) || !CsvTable.Columns(path).Contains("recording")) return [];
        var sources = CsvTable.Read(path).Rows.Select(r => r["recording"]).Where(r => r.Length > 0).ToHashSet();
        return data.Focal.GroupBy(c => Path.GetFileNameWithoutExtension(c.File)).Where(g => sources.Contains(g.Key))
            .OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => new SplitLeak("test_source", g.Key, [], Files(g)));
    }

    static string[] Files(IEnumerable<Clip> clips) => [.. clips.Select(c => c.File).Order(StringComparer.Ordinal)];
}
