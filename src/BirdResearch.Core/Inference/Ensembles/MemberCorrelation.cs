namespace BirdResearch.Inference;

/// <summary>How alike members are: those that err alike add little to each other.</summary>
public static class MemberCorrelation
{
    /// <summary>Mean over classes of Pearson's correlation between the log odds of two members, for each pair; classes in which one of them never varies are left out.</summary>
    public static double[,] Pearson(IReadOnlyList<MemberScores> members) => Pairs(members, EnsembleRule.Logits);

    /// <summary>Mean over classes of Spearman's correlation: that of the places among all rows, ties sharing theirs.</summary>
    public static double[,] Spearman(IReadOnlyList<MemberScores> members) => Pairs(members, EnsembleRule.Ranks);

    static double[,] Pairs(IReadOnlyList<MemberScores> members, EnsembleRule rule)
    {
        if (members.Count == 0) return new double[0, 0];
        var (rows, classes) = (members[0].Rows, members[0].Classes);
        if (members.FirstOrDefault(m => m.Rows != rows || m.Classes != classes) is { } other)
            throw new ArgumentException($"{other.Name} has {other.Rows} rows x {other.Classes} classes, {members[0].Name} has {rows} x {classes}.");
        if (members.FirstOrDefault(m => !m.IsWhole) is { } partial) throw new ArgumentException($"{partial.Name} has not scored every row and class.");
        var sums = new double[members.Count, members.Count];
        var counts = new int[members.Count, members.Count];
        for (var c = 0; c < classes; c++)
        {
            double[]?[] columns = [.. members.Select(member =>
            {
                var column = new double[rows];
                EnsembleColumns.Fill(member, c, rule, column);
                return Standardised(column);
            })];
            for (var a = 0; a < columns.Length; a++)
            {
                for (var b = a; b < columns.Length; b++)
                {
                    if (columns[a] is not { } left || columns[b] is not { } right) continue;
                    var product = 0.0;
                    for (var r = 0; r < rows; r++) product += left[r] * right[r];
                    sums[a, b] += product;
                    counts[a, b]++;
                }
            }
        }
        var mean = new double[members.Count, members.Count];
        for (var a = 0; a < members.Count; a++)
            for (var b = a; b < members.Count; b++) mean[a, b] = mean[b, a] = sums[a, b] / counts[a, b];
        return mean;
    }

    /// <summary>Mean 0 and sum of squares 1; null where all values are equal.</summary>
    static double[]? Standardised(double[] column)
    {
        var mean = column.Average();
        var norm = Math.Sqrt(column.Sum(v => (v - mean) * (v - mean)));
        return norm > 1e-12 ? [.. column.Select(v => (v - mean) / norm)] : null;
    }
}
