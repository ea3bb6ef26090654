namespace BirdResearch.Inference;

/// <summary>
/// The members' values of one rule, class by class, for the classes that have positives: what the search for weights works on. Any
/// increasing map of the mixture gives the same metric, so that logits are mixed as they are.
/// </summary>
sealed class MixedColumns
{
    readonly double[][][] _values;      // class, member, row
    readonly bool[][] _truth;           // class, row

    public MixedColumns(ValidatedMembers members, EnsembleRule rule)
    {
        var (rows, classes) = (members.Rows, members.Classes);
        Members = members.Members.Count;
        Columns = [.. Enumerable.Range(0, classes).Where(c => HasTrue(members, c))];
        _truth = new bool[Columns.Count][];
        _values = new double[Columns.Count][][];
        for (var i = 0; i < Columns.Count; i++)
        {
            _truth[i] = new bool[rows];
            for (var r = 0; r < rows; r++) _truth[i][r] = members.Truth[(r * classes) + Columns[i]];
            _values[i] = new double[Members][];
            for (var m = 0; m < Members; m++) EnsembleColumns.Fill(members.Members[m], Columns[i], rule, _values[i][m] = new double[rows]);
        }
    }

    public int Members { get; }

    /// <summary>Places of the classes that have positives.</summary>
    public IReadOnlyList<int> Columns { get; }

    public bool[] Truth(int i) => _truth[i];

    public double[] Values(int i, int member) => _values[i][member];

    /// <summary>The macro metric of the mixture with these weights.</summary>
    public double Score(IReadOnlyList<double> weights, EnsembleMetric metric)
    {
        var scores = new double[Columns.Count];
        Parallel.For(0, Columns.Count, i =>
        {
            var mixed = new double[_truth[i].Length];
            for (var m = 0; m < Members; m++)
            {
                if (weights[m] == 0) continue;
                var (weight, values) = (weights[m], _values[i][m]);
                for (var r = 0; r < mixed.Length; r++) mixed[r] += weight * values[r];
            }
            scores[i] = ValidatedMembers.ColumnScore(_truth[i], mixed, metric);
        });
        var (sum, count) = (0.0, 0);
        foreach (var score in scores)
        {
            if (double.IsNaN(score)) continue;
            sum += score;
            count++;
        }
        return sum / count;
    }

    static bool HasTrue(ValidatedMembers members, int column)
    {
        for (var cell = column; cell < members.Truth.Length; cell += members.Classes)
            if (members.Truth[cell]) return true;
        return false;
    }
}
