using System.Numerics;

namespace BirdResearch.Inference;

/// <summary>The best validated ensemble whose predicted time fits, and what more or less time would give.</summary>
/// <param name="Best">The choice; null where not even the fastest member fits.</param>
/// <param name="Front">Ensembles that no other beats in both score and time, the fastest first.</param>
/// <param name="Tried">How many subsets of members were scored.</param>
/// <param name="IsExact">Whether these were all that there are.</param>
public sealed record BudgetChoice(EnsemblePoint? Best, IReadOnlyList<EnsemblePoint> Front, int Tried, bool IsExact)
{
    /// <summary>
    /// Scores subsets of the members, all alike; then fits weights, for all subsets of a few members and else for those on the front, and takes them where they are better. A subset of
    /// good members can be worse than a part of it, so no subset is ruled out unseen.
    /// </summary>
    /// <param name="members">Candidates and validation rows.</param>
    /// <param name="secondsPerFile">Predicted seconds of each member for one file.</param>
    /// <param name="budget">Seconds that all members may take for one file.</param>
    /// <param name="settings">Rule, metric and weights.</param>
    public static BudgetChoice Choose(ValidatedMembers members, IReadOnlyList<double> secondsPerFile, double budget, BudgetSettings? settings = null)
    {
        settings ??= new BudgetSettings();
        var count = members.Members.Count;
        if (secondsPerFile.Count != count || secondsPerFile.Any(s => s is not (>= 0 and < double.PositiveInfinity)))
            throw new ArgumentException($"Each of {count} members needs its seconds per file, 0 or more, but there are {string.Join(", ", secondsPerFile)}.");

        if (settings.MostForAllSubsets is < 0 or > 16) throw new ArgumentException($"All subsets of {settings.MostForAllSubsets} members are too many; at most 16.");

        var columns = new MixedColumns(members, settings.Rule);
        var scores = new Dictionary<BigInteger, double>();
        double ScoreOf(BigInteger subset) => scores.TryGetValue(subset, out var known) ? known : scores[subset] = columns.Score(Chosen(subset, count), settings.Metric);
        double SecondsOf(BigInteger subset) => Enumerable.Range(0, count).Where(m => Has(subset, m)).Sum(m => secondsPerFile[m]);

        var isExact = count <= settings.MostForAllSubsets;
        if (isExact)
        {
            for (BigInteger subset = 1; subset < BigInteger.One << count; subset++) ScoreOf(subset);
        }
        else
        {
            // By score alone, by score among what fits, and by score for the time.
            Climb(count, _ => true, (from, to) => ScoreOf(to));
            Climb(count, s => SecondsOf(s) <= budget, (from, to) => ScoreOf(to));
            Climb(count, _ => true, (from, to) => (ScoreOf(to) - (from.IsZero ? 0 : ScoreOf(from))) / Math.Max(SecondsOf(to) - SecondsOf(from), 1e-9));
        }

        var all = scores.Where(s => !double.IsNaN(s.Value)).Select(s => (Subset: s.Key, Point: Point(members, s.Key, s.Value, SecondsOf(s.Key)))).ToList();
        var front = Unbeaten(all.Select(a => a.Point));
        if (settings.Fit is { } fit)
        {
            // Alike, a good member may be worse off with a poor one that would help it with a small weight.
            var worth = isExact && count <= settings.MostForAllWeights ? all.Select(a => a.Point).ToList() : front;
            front = Unbeaten(worth.Select(point => Refitted(members, point, fit)));
        }
        return new BudgetChoice(front.LastOrDefault(p => p.SecondsPerFile <= budget), front, scores.Count, isExact);
    }

    static void Climb(int count, Func<BigInteger, bool> isAllowed, Func<BigInteger, BigInteger, double> value)
    {
        for (BigInteger subset = 0; ;)
        {
            var next = Enumerable.Range(0, count).Where(m => !Has(subset, m)).Select(m => subset | (BigInteger.One << m)).Where(isAllowed).ToList();
            if (next.Count == 0) return;
            subset = next.MaxBy(s => value(subset, s));
        }
    }

    /// <summary>Those that no other beats: each slower one scores more than all faster ones.</summary>
    static List<EnsemblePoint> Unbeaten(IEnumerable<EnsemblePoint> points)
    {
        var front = new List<EnsemblePoint>();
        foreach (var point in points.OrderBy(p => p.SecondsPerFile).ThenByDescending(p => p.Score).ThenBy(p => p.Members.Count))
            if (front.Count == 0 || point.Score > front[^1].Score) front.Add(point);
        return front;
    }

    static EnsemblePoint Refitted(ValidatedMembers members, EnsemblePoint point, Func<ValidatedMembers, FittedWeights> fit)
    {
        if (point.Members.Count == 1) return point;
        var fitted = fit(members.Only([.. point.Members.Select(name => members.Names.ToList().IndexOf(name))]));
        return fitted.Score > point.Score ? point with { Weights = fitted.Weights, Score = fitted.Score } : point;
    }

    static bool Has(BigInteger subset, int member) => !((subset >> member) & 1).IsZero;

    static double[] Chosen(BigInteger subset, int count) => [.. Enumerable.Range(0, count).Select(m => Has(subset, m) ? 1.0 : 0)];

    static EnsemblePoint Point(ValidatedMembers members, BigInteger subset, double score, double seconds)
    {
        List<string> names = [.. members.Names.Where((_, m) => Has(subset, m))];
        return new EnsemblePoint(names, [.. names.Select(_ => 1.0 / names.Count)], score, seconds);
    }
}
