using BirdResearch.Metrics;

namespace BirdResearch.Experiments;

/// <summary>Finds the candidates of an ensemble among finished runs.</summary>
public static class EnsembleCandidates
{
    /// <summary>
    /// Groups runs that differ in their fold alone and joins what each says of the recordings that it held out. Rows that not every candidate
    /// has are left out; where none is common to all, that is an error.
    /// </summary>
    /// <param name="folders">Folders of finished runs with their <c>scores.*.csv</c>.</param>
    /// <param name="notes">Receives what was left out.</param>
    public static IReadOnlyList<EnsembleCandidate> Of(IReadOnlyList<string> folders, List<string> notes)
    {
        var runs = folders.Select(folder => (Folder: folder, Record: RunStore.ReadRecord(Path.Combine(folder, "run.json")))).OrderBy(r => r.Record.Trial.Fold).ToList();
        if (runs.Select(r => r.Record.Data.ContentKey).Distinct().Count() > 1)
            throw new ArgumentException($"The runs are of different data: {string.Join(", ", runs.Select(r => r.Record.Data.Name).Distinct())}. Members of an ensemble must share theirs.");
        var groups = runs.GroupBy(r => RunIdentity.HashOf(r.Record.Trial with { Fold = null, Label = "" })).ToList();
        var candidates = groups.Select(group =>
        {
            var first = group.First().Record;
            var name = $"{first.Trial.Model}.{first.Trial.FrontEnd}.s{first.Trial.Seed}";
            var isUnique = groups.Count(g => g.First().Record.Trial is var t && t.Model == first.Trial.Model && t.FrontEnd == first.Trial.FrontEnd && t.Seed == first.Trial.Seed) == 1;
            if (group.Select(r => r.Record.Trial.Fold).Distinct().Count() != group.Count())
                throw new ArgumentException($"Two runs of {name} are of the same fold; name each once.");
            string[] places = [.. group.Select(r => r.Folder)];
            var parts = group.Select(r => (Fold: r.Record.Trial.Fold ?? 0, Scores: RunFiles.ReadScores(r.Folder, "focal"))).ToList();
            int[] folds = [.. parts.SelectMany(p => Enumerable.Repeat(p.Fold, p.Scores.Ids.Count))];
            return new EnsembleCandidate(
                isUnique ? name : $"{name}-{group.Key[..4]}", places, Joined([.. parts.Select(p => p.Scores)], places), folds,
                File.Exists(RunFiles.ScoresFile(places[0], "soundscape")) ? Mean([.. places.Select(p => RunFiles.ReadScores(p, "soundscape"))]) : null);
        }).ToList();

        var common = candidates.Select(c => c.Validation.Ids.ToHashSet()).Aggregate((a, b) => [.. a.Intersect(b)]);
        if (common.Count == 0)
            throw new ArgumentException("The runs were validated on different recordings. Train them on the same folds: 'bird run ... --fold all' holds every recording out once.");
        foreach (var candidate in candidates.Where(c => c.Validation.Ids.Count > common.Count))
            notes.Add($"{candidate.Validation.Ids.Count - common.Count} recordings that {candidate.Name} held out are left out: not every candidate did.");
        return [.. candidates.Select(c => Among(c, common))];
    }

    static Scores Joined(IReadOnlyList<Scores> parts, IReadOnlyList<string> folders)
    {
        if (parts.SelectMany(p => p.Ids).GroupBy(id => id).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new InvalidDataException($"Two runs ({string.Join(", ", folders.Select(Path.GetFileName))}) held out the same recording '{twice.Key}'; runs of different folds must not.");
        return new Scores(parts[0].Domain, [.. parts.SelectMany(p => p.Ids)], parts[0].Classes, [.. parts.SelectMany(p => p.Truth.ToArray())], [.. parts.SelectMany(p => p.Values.ToArray())]);
    }

    static Scores Mean(IReadOnlyList<Scores> parts)
    {
        var sums = new double[parts[0].Values.Length];
        foreach (var part in parts)
        {
            if (!part.Ids.SequenceEqual(parts[0].Ids)) throw new InvalidDataException("The runs scored different soundscape windows; train them again on the same data.");
            for (var i = 0; i < sums.Length; i++) sums[i] += part.Values[i] / parts.Count;
        }
        return new Scores(parts[0].Domain, parts[0].Ids, parts[0].Classes, parts[0].Truth.ToArray(), sums);
    }

    /// <summary>The rows of those names alone, in the order of the names.</summary>
    static EnsembleCandidate Among(EnsembleCandidate candidate, HashSet<string> ids)
    {
        var (scores, width) = (candidate.Validation, candidate.Validation.Classes.Count);
        var kept = Enumerable.Range(0, scores.Ids.Count).Where(r => ids.Contains(scores.Ids[r])).OrderBy(r => scores.Ids[r], StringComparer.Ordinal).ToList();
        return candidate with
        {
            Validation = new Scores(
                scores.Domain, [.. kept.Select(r => scores.Ids[r])], scores.Classes,
                [.. kept.SelectMany(r => scores.Truth.Slice(r * width, width).ToArray())], [.. kept.SelectMany(r => scores.Values.Slice(r * width, width).ToArray())]),
            Folds = [.. kept.Select(r => candidate.Folds[r])],
        };
    }
}
