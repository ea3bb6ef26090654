using BirdResearch.Metrics;

namespace BirdResearch.Inference;

/// <summary>Members of an ensemble and what they say about validation rows whose labels are known. Test rows have no place here.</summary>
public sealed class ValidatedMembers
{
    readonly bool[] _truth;

    /// <param name="members">What each member says about the same rows.</param>
    /// <param name="truth">N x C labels, row-major, of which at least one is true.</param>
    public ValidatedMembers(IReadOnlyList<MemberScores> members, ReadOnlySpan<bool> truth)
    {
        if (members.Count == 0) throw new ArgumentException("There are no members to choose from.");
        if (members.Select(m => m.Name).Distinct().Count() != members.Count)
            throw new ArgumentException($"A member is named twice: {string.Join(", ", members.Select(m => m.Name))}.");
        foreach (var member in members)
            if (member.Classes != members[0].Classes || member.Logits.Length != truth.Length)
                throw new ArgumentException(
                    $"{member.Name} has {member.Rows} rows x {member.Classes} classes for {truth.Length} labels, {members[0].Name} has {members[0].Rows} x {members[0].Classes}: " +
                    "all must be of the same validation rows.");
        if (members.FirstOrDefault(m => !m.IsWhole) is { } partial) throw new ArgumentException($"{partial.Name} has not scored every validation row and class.");
        if (!truth.Contains(true)) throw new ArgumentException("No label of the validation rows is true, so nothing can be chosen by them.");
        (Members, _truth) = (members, truth.ToArray());
        Names = [.. members.Select(m => m.Name)];
    }

    /// <summary>The members.</summary>
    public IReadOnlyList<MemberScores> Members { get; }

    /// <summary>Their names.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Number of rows N.</summary>
    public int Rows => Members[0].Rows;

    /// <summary>Number of classes C.</summary>
    public int Classes => Members[0].Classes;

    /// <summary>N x C labels, row-major.</summary>
    public ReadOnlySpan<bool> Truth => _truth;

    /// <summary>From scores of the same rows in any order, such as the <c>scores.*.csv</c> of runs: rows are matched by their names.</summary>
    public static ValidatedMembers Of(IReadOnlyList<(string Name, Scores Scores)> members)
    {
        if (members.Count == 0) throw new ArgumentException("There are no members to choose from.");
        var (firstName, first) = members[0];
        var matched = new List<MemberScores>();
        foreach (var (name, scores) in members)
        {
            if (!scores.Classes.SequenceEqual(first.Classes)) throw new ArgumentException($"{name} scores other classes than {firstName}, or in another order.");
            var places = new Dictionary<string, int>();
            for (var row = 0; row < scores.Ids.Count; row++) places[scores.Ids[row]] = row;
            int[] order = [.. first.Ids.Select(id => places.TryGetValue(id, out var row) ? row : -1)];
            var lost = Array.IndexOf(order, -1);
            if (lost >= 0 || scores.Ids.Count != first.Ids.Count)
                throw new ArgumentException(
                    $"{name} has {scores.Ids.Count} rows, {firstName} has {first.Ids.Count}" + (lost >= 0 ? $", and '{first.Ids[lost]}' is not among the former" : "") +
                    ": members must be validated on the same rows.");
            for (var row = 0; row < order.Length; row++)
                if (!Row(scores.Truth, order[row], first.Classes.Count).SequenceEqual(Row(first.Truth, row, first.Classes.Count)))
                    throw new ArgumentException($"The labels of row '{first.Ids[row]}' differ between {name} and {firstName}: they were validated on different data.");
            matched.Add(MemberScores.FromScores(name, scores).Take(order));
        }
        return new ValidatedMembers(matched, first.Truth);
    }

    /// <summary>The members at those places alone.</summary>
    public ValidatedMembers Only(IReadOnlyList<int> members) => new([.. members.Select(m => Members[m])], _truth);

    /// <summary>Those rows alone.</summary>
    public ValidatedMembers Take(IReadOnlyList<int> rows)
    {
        var truth = new bool[rows.Count * Classes];
        for (var i = 0; i < rows.Count; i++) Array.Copy(_truth, rows[i] * Classes, truth, i * Classes, Classes);
        return new ValidatedMembers([.. Members.Select(m => m.Take(rows))], truth);
    }

    /// <summary>The metric of scores of these rows; NaN where no class has what it needs.</summary>
    /// <param name="scores">N x C scores, row-major.</param>
    /// <param name="metric">Which.</param>
    public double Score(ReadOnlySpan<float> scores, EnsembleMetric metric)
    {
        var (sum, count) = (0.0, 0);
        var (truth, values) = (new bool[Rows], new double[Rows]);
        for (var c = 0; c < Classes; c++)
        {
            for (var r = 0; r < Rows; r++) (truth[r], values[r]) = (_truth[(r * Classes) + c], scores[(r * Classes) + c]);
            var value = ColumnScore(truth, values, metric);
            if (double.IsNaN(value)) continue;
            sum += value;
            count++;
        }
        return sum / count;
    }

    internal static double ColumnScore(bool[] truth, ReadOnlySpan<double> values, EnsembleMetric metric) =>
        metric == EnsembleMetric.RocAuc ? Ranking.RocAuc(truth, values) : Ranking.AveragePrecision(truth, values);

    static ReadOnlySpan<bool> Row(ReadOnlySpan<bool> cells, int row, int classes) => cells.Slice(row * classes, classes);
}
