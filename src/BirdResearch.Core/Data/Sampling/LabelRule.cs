namespace BirdResearch.Data;

/// <summary>The row of labels that a clip has.</summary>
sealed class LabelRule
{
    readonly Dictionary<string, int> _columnOf;
    readonly SecondaryLabelRule _secondary;

    /// <param name="clips">Clips whose labels must be among the classes; their secondary ones need not.</param>
    /// <param name="classes">Class names in the order of the columns.</param>
    /// <param name="secondary">What secondary labels count as.</param>
    public LabelRule(IReadOnlyList<Clip> clips, IReadOnlyList<string> classes, SecondaryLabelRule secondary = SecondaryLabelRule.Ignore)
    {
        (_columnOf, _secondary) = (classes.Index().ToDictionary(c => c.Item, c => c.Index), secondary);
        foreach (var clip in clips)
            foreach (var label in clip.Labels)
                if (!_columnOf.ContainsKey(label))
                    throw new ArgumentException($"{clip.Id} has the label '{label}', which is not among the {classes.Count} classes.");
    }

    /// <summary>Classes C.</summary>
    public int Columns => _columnOf.Count;

    /// <summary>Classes that have a target above 0.</summary>
    public IReadOnlyList<string> Present(Clip clip) =>
        _secondary is SecondaryLabelRule.Half or SecondaryLabelRule.Full ? [.. clip.Labels.Concat(Secondary(clip))] : clip.Labels;

    /// <summary>Targets (B, C) in [0, 1], and weights of the same shape where some label is not known.</summary>
    public (float[] Labels, float[]? Weights) Of(IReadOnlyList<Clip> rows)
    {
        var labels = new float[rows.Count * Columns];
        float[]? weights = null;
        for (var row = 0; row < rows.Count; row++)
        {
            if (rows[row].Targets is { } targets)
            {
                for (var c = 0; c < Columns; c++) labels[row * Columns + c] = targets[c];
                continue;
            }
            if (_secondary != SecondaryLabelRule.Ignore)
                foreach (var label in Secondary(rows[row]))
                {
                    var at = row * Columns + _columnOf[label];
                    labels[at] = _secondary switch { SecondaryLabelRule.Half => 0.5f, SecondaryLabelRule.Full => 1, _ => 0 };
                    if (_secondary == SecondaryLabelRule.Mask) (weights ??= Ones(labels.Length))[at] = 0;
                }
            foreach (var label in rows[row].Labels) labels[row * Columns + _columnOf[label]] = 1;
        }
        return (labels, weights);
    }

    IEnumerable<string> Secondary(Clip clip) => clip.SecondaryLabels.Where(label => _columnOf.ContainsKey(label) && !clip.Labels.Contains(label));

    static float[] Ones(int count)
    {
        var ones = new float[count];
        Array.Fill(ones, 1);
        return ones;
    }
}
