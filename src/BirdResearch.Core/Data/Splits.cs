namespace BirdResearch.Data;

/// <summary>
/// Splits of a data set's recordings: by the given folds, else by author, else by recording. Chance and row order have no part in
/// it.
/// </summary>
public static class Splits
{
    /// <summary>A fold of recordings that stay in training whatever fold is held out.</summary>
    const int Always = -1;

    /// <summary>The split that holds out one fold.</summary>
    /// <param name="dataset">A data set with focal recordings.</param>
    /// <param name="fold">The fold to hold out; null takes the first.</param>
    /// <param name="folds">Number of folds, numbered from 0, where the data set's authors gave none.</param>
    public static Split Of(Dataset dataset, int? fold = null, int folds = 4)
    {
        if (dataset.Focal.Count == 0)
            throw new ArgumentException($"{dataset.Name} has no recordings to train on, only soundscapes; train on another data set.");
        ArgumentOutOfRangeException.ThrowIfLessThan(folds, 2);
        var given = dataset.GroupedBy == "fold";
        int[] available = given ? [.. dataset.Focal.Select(c => c.Fold!.Value).Distinct().Order()] : [.. Enumerable.Range(0, folds)];
        var held = fold ?? available[0];
        if (!available.Contains(held))
            throw new ArgumentException($"{dataset.Name} has no fold {held}. Its folds are {string.Join(", ", available)}.");

        var foldOf = given ? null : Assign(dataset.Focal, folds);
        var sides = dataset.Focal.OrderBy(c => c.Id, StringComparer.Ordinal)
            .ToLookup(c => (given ? c.Fold!.Value : foldOf![c.Group]) == held);
        Clip[] train = [.. sides[false]], validation = [.. sides[true]];
        return new Split
        {
            Train = train,
            Validation = validation,
            Fold = held,
            Folds = available,
            Rule = given ? "given folds" : dataset.GroupedBy,
            ClassesWithoutTraining = Without(dataset, train),
            ClassesWithoutValidation = Without(dataset, validation),
        };
    }

    static string[] Without(Dataset dataset, IEnumerable<Clip> clips) =>
        [.. dataset.Classes.Except(clips.Select(Class)).Order(StringComparer.Ordinal)];

    static string Class(Clip clip) => clip.Labels[0];

    /// <summary>
    /// A fold for every group, so that each class spreads evenly: groups of rare classes are dealt first, equals in the order of their
    /// names' hashes, each to the fold that has the smallest share of its classes. A class of one group is always trained on.
    /// </summary>
    static Dictionary<string, int> Assign(IReadOnlyList<Clip> clips, int folds)
    {
        var groups = clips.GroupBy(c => c.Group)
            .Select(g => (Name: g.Key, Size: g.Count(), Hash: (ulong)CounterRandom.KeyOf(g.Key), Classes: Counts(g)))
            .ToArray();
        var total = Counts(clips).ToDictionary(c => c.Class, c => (double)c.Count);
        var groupsOf = groups.SelectMany(g => g.Classes.Select(c => (c.Class, Group: g.Name))).ToLookup(p => p.Class, p => p.Group);
        var foldOf = groups.Where(g => g.Classes.Any(c => groupsOf[c.Class].Count() == 1)).ToDictionary(g => g.Name, _ => Always);

        var dealt = total.Keys.ToDictionary(c => c, _ => new int[folds]);
        var size = new int[folds];
        foreach (var group in groups.Where(g => !foldOf.ContainsKey(g.Name))
            .OrderBy(g => g.Classes.Min(c => groupsOf[c.Class].Count())).ThenByDescending(g => g.Size)
            .ThenBy(g => g.Hash).ThenBy(g => g.Name, StringComparer.Ordinal))
        {
            var best = Enumerable.Range(0, folds).MinBy(f => (group.Classes.Sum(c => dealt[c.Class][f] / total[c.Class]), size[f]));
            foldOf[group.Name] = best;
            size[best] += group.Size;
            foreach (var (name, count) in group.Classes) dealt[name][best] += count;
        }

        // Groups of many classes can still have drawn all of one class into one fold; then its first group is kept in training.
        foreach (var name in total.Keys.Order(StringComparer.Ordinal))
            if (groupsOf[name].Select(g => foldOf[g]).Distinct().Count() == 1)
                foldOf[groupsOf[name].Order(StringComparer.Ordinal).First()] = Always;
        return foldOf;
    }

    // In one order, so that sums over classes round alike whatever the order of the rows.
    static (string Class, int Count)[] Counts(IEnumerable<Clip> clips) =>
        [.. clips.CountBy(Class).Select(c => (c.Key, c.Value)).OrderBy(c => c.Key, StringComparer.Ordinal)];
}
