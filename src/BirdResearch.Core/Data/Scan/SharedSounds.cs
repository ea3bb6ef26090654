namespace BirdResearch.Data;

/// <summary>Finds files with sound in common: equal samples by hash, the rest by fingerprint and then by waveform.</summary>
static class SharedSounds
{
    /// <summary>Every pair, the one to keep first, most sound in common first. Of a group of equal files only the first is compared with the others.</summary>
    public static IReadOnlyList<SharedSound> Find(
        IReadOnlyList<ScanFile> files, IReadOnlyList<SoundMeasures> measures, SplitSides sides, ScanCrew crew)
    {
        var usable = Enumerable.Range(0, files.Count)
            .Where(i => measures[i] is { Problem: null, SoundHash: not null, NotFinite: 0, FingerprintBytes: not null, Peak: > 0 })
            .OrderByDescending(i => files[i].Role).ThenByDescending(i => Math.Round(measures[i].Seconds, 1))
            .ThenByDescending(i => measures[i].SampleRate).ThenByDescending(i => measures[i].Bytes).ThenBy(i => files[i].File, StringComparer.Ordinal)
            .ToArray();
        var (found, distinct) = (new List<SharedSound>(), new List<int>());
        foreach (var same in usable.GroupBy(i => measures[i].SoundHash))
        {
            var first = same.First();
            distinct.Add(first);
            foreach (var other in same.Skip(1))
                found.Add(new(files[first], files[other], true, 0, measures[first].Seconds, 1, 0, 1, sides.Dividing(files[first], files[other])));
        }

        Fingerprint[] prints = [.. distinct.Select(i => Fingerprint.FromBytes(measures[i].FingerprintBytes))];
        crew.ForEach(FingerprintIndex.Matches(prints, crew.Settings, crew.Cancellation), (hand, match) =>
        {
            var (first, second) = (files[distinct[match.First]], files[distinct[match.Second]]);
            var correlation = hand.Correlation(first.File, second.File, match, crew.Cancellation);
            if (correlation < crew.Settings.MatchCorrelation) return;
            var less = Math.Min(prints[match.First].Sounding, prints[match.Second].Sounding);
            var pair = new SharedSound(first, second, false, match.Offset * Fingerprint.HopSeconds, match.Matched * Fingerprint.HopSeconds,
                (double)match.Matched / less, match.Errors, correlation, sides.Dividing(first, second));
            lock (found) found.Add(pair);
        });
        return [.. found.OrderByDescending(s => s.Exact).ThenByDescending(s => s.Share).ThenBy(s => s.First.File, StringComparer.Ordinal)
            .ThenBy(s => s.Second.File, StringComparer.Ordinal)];
    }
}
