namespace BirdResearch.Metrics;

/// <summary>What a model said about N rows and C classes beside what was true, in one domain.</summary>
public sealed class Scores
{
    readonly bool[] _truth;
    readonly double[] _values;

    /// <param name="domain">Where the rows come from: <c>focal</c>, <c>soundscape</c> or <c>train</c>.</param>
    /// <param name="ids">Row names, N of them, unique.</param>
    /// <param name="classes">Class names, C of them.</param>
    /// <param name="truth">N x C labels, row-major.</param>
    /// <param name="values">N x C scores, row-major; higher means more likely. NaN is an error.</param>
    public Scores(string domain, IReadOnlyList<string> ids, IReadOnlyList<string> classes, bool[] truth, double[] values)
    {
        var cells = ids.Count * classes.Count;
        if (truth.Length != cells || values.Length != cells)
            throw new ArgumentException(
                $"Scores of {ids.Count} rows x {classes.Count} classes need {cells} labels and values, not {truth.Length} and {values.Length}.");
        var bad = Array.FindIndex(values, double.IsNaN);
        if (bad >= 0)
            throw new ArgumentException(
                $"The {domain} score of row '{ids[bad / classes.Count]}', class '{classes[bad % classes.Count]}' is NaN. " +
                "The model has diverged: lower the learning rate or clip gradients.");
        (Domain, Ids, Classes, _truth, _values) = (domain, ids, classes, truth, values);
    }

    /// <summary>The domain's name: <c>focal</c>, <c>soundscape</c> or <c>train</c>.</summary>
    public string Domain { get; }

    /// <summary>Row names.</summary>
    public IReadOnlyList<string> Ids { get; }

    /// <summary>Class names.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>N x C labels, row-major.</summary>
    public ReadOnlySpan<bool> Truth => _truth;

    /// <summary>N x C scores, row-major.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <summary>Rows in which a class is true.</summary>
    /// <param name="column">The class's place among <see cref="Classes"/>.</param>
    public int Positives(int column)
    {
        var count = 0;
        for (var cell = column; cell < _truth.Length; cell += Classes.Count)
            if (_truth[cell]) count++;
        return count;
    }
}
