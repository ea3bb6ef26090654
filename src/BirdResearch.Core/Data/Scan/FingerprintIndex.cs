using System.Collections.Concurrent;

namespace BirdResearch.Data;

/// <summary>Finds fingerprints that have a stretch in common among many, without laying each over each.</summary>
public static class FingerprintIndex
{
    const int MostEntries = 1 << 25, LargestBucket = 512, Reach = 20, LeastBits = 100;
    const double Slack = 0.06;

    /// <summary>
    /// The best match of every pair that has one, by marked frames whose strongest changes agree. Sorted by pair.
    /// </summary>
    public static IReadOnlyList<FingerprintMatch> Matches(
        IReadOnlyList<Fingerprint> all, ScanSettings settings, CancellationToken cancellation = default)
    {
        var (keys, places) = Entries(all);
        Array.Sort(keys, places);
        var buckets = new List<(int From, int To)>();
        for (var from = 0; from < keys.Length;)
        {
            var to = from + 1;
            while (to < keys.Length && keys[to] == keys[from]) to++;
            if (to - from > 1) buckets.Add((from, Math.Min(to, from + LargestBucket)));
            from = to;
        }

        var candidates = new ConcurrentDictionary<(int, int, int), byte>();
        Parallel.ForEach(buckets, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Threads(settings) }, bucket =>
        {
            for (var i = bucket.From; i < bucket.To; i++)
                for (var j = i + 1; j < bucket.To; j++)
                {
                    var (p, q) = (Math.Min(places[i], places[j]), Math.Max(places[i], places[j]));
                    var (a, b, m, n) = ((int)(p >> 32), (int)(q >> 32), (int)(p & 0xFFFFFFFF), (int)(q & 0xFFFFFFFF));
                    if (a != b && Agree(all[a], m, all[b], n, settings)) candidates.TryAdd((a, b, m - n), 0);
                }
        });
        return Best(candidates.Keys.AsParallel().WithDegreeOfParallelism(Threads(settings))
            .SelectMany(c => Enumerable.Range(c.Item3 - 1, 3).Select(offset => FingerprintMatch.At(all, c.Item1, c.Item2, offset, settings))));
    }

    /// <summary>The same by laying each over each at every offset: slow, and plainly right.</summary>
    public static IReadOnlyList<FingerprintMatch> Reference(IReadOnlyList<Fingerprint> all, ScanSettings settings) =>
        Best(from a in Enumerable.Range(0, all.Count)
             from b in Enumerable.Range(a + 1, all.Count - a - 1)
             from offset in Enumerable.Range(1 - all[b].Frames, Math.Max(0, all[a].Frames + all[b].Frames - 1))
             select FingerprintMatch.At(all, a, b, offset, settings));

    static int Threads(ScanSettings settings) => settings.Threads > 0 ? Math.Min(settings.Threads, 512) : Environment.ProcessorCount;

    static FingerprintMatch[] Best(IEnumerable<FingerprintMatch?> matches) =>
        [.. matches.OfType<FingerprintMatch>().GroupBy(m => (m.First, m.Second))
            .Select(g => g.OrderByDescending(m => m.Matched * (0.5 - m.Errors)).ThenBy(m => m.Offset).First())
            .OrderBy(m => (m.First, m.Second))];

    /// <summary>Any four of a marked frame's five strongest changes, and where they are.</summary>
    static (uint[] Keys, long[] Places) Entries(IReadOnlyList<Fingerprint> all)
    {
        var marked = all.Sum(f => (long)f.Peaks.Count(p => p != 0));
        var thinning = (uint)(marked * Fingerprint.PeaksPerFrame / MostEntries + 1);   // of a large collection a part of the keys is enough
        var (keys, places) = (new List<uint>(), new List<long>());
        for (var f = 0; f < all.Count; f++)
            for (var i = 0; i < all[f].Frames; i++)
            {
                if (all[f].Peaks[i] is not (> 0 and var peaks)) continue;
                for (var left = 0; left < Fingerprint.PeaksPerFrame; left++)
                {
                    var key = Without(peaks, left);
                    if (thinning > 1 && key * 2654435761u % thinning != 0) continue;
                    keys.Add(key);
                    places.Add((long)f << 32 | (uint)i);
                }
            }
        return ([.. keys], [.. places]);
    }

    static uint Without(uint peaks, int left)
    {
        var below = peaks & ((1u << 6 * left) - 1);
        return peaks >> 6 * (left + 1) << 6 * left | below;
    }

    /// <summary>Whether the second or so around two marked frames is alike.</summary>
    static bool Agree(Fingerprint a, int m, Fingerprint b, int n, ScanSettings settings)
    {
        var (from, to) = (-Math.Min(Reach, Math.Min(m, n)), Math.Min(Reach, Math.Min(a.Frames - m, b.Frames - n) - 1));
        var (differing, compared) = (0, 0);
        for (var i = from; i <= to; i++)
        {
            var (d, c) = a.Compare(m + i, b, n + i);
            (differing, compared) = (differing + d, compared + c);
        }
        return compared >= LeastBits && differing <= (settings.MatchErrors + Slack) * compared;
    }
}
