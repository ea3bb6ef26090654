using BirdResearch.Metrics;

namespace BirdResearch.Inference;

/// <summary>What one member of an ensemble says about rows of sound, as log odds.</summary>
public sealed class MemberScores
{
    /// <summary>Probabilities are held this far from 0 and 1, so that log odds stay finite.</summary>
    public const double Margin = 1e-9;

    readonly float[] _logits;

    MemberScores(string name, int classes, float[] logits, bool mayBePartial = false)
    {
        if (classes < 1 || logits.Length % classes != 0)
            throw new ArgumentException($"{name} has {logits.Length} scores, which make no whole rows of {classes} classes.");
        var bad = Array.FindIndex(logits, float.IsNaN);
        IsWhole = bad < 0;
        if (bad >= 0 && !mayBePartial) throw new ArgumentException($"The score of {name} in row {bad / classes}, class {bad % classes} is NaN and cannot be averaged: leave the member out.");
        (Name, Classes, _logits) = (name, classes, logits);
    }

    /// <summary>The member's name.</summary>
    public string Name { get; }

    /// <summary>Number of classes C.</summary>
    public int Classes { get; }

    /// <summary>Number of rows N.</summary>
    public int Rows => _logits.Length / Classes;

    /// <summary>Whether it says something of every row and class.</summary>
    public bool IsWhole { get; }

    /// <summary>N x C log odds, row-major; NaN where it says nothing, see <see cref="FromPartial"/>.</summary>
    public ReadOnlySpan<float> Logits => _logits;

    /// <summary>From what <see cref="IWindowClassifier.Score"/> gives.</summary>
    /// <param name="name">The member.</param>
    /// <param name="classes">Number of classes C.</param>
    /// <param name="rule">How its logits become scores. With <see cref="ScoreRule.Softmax"/> the log odds of each class against the others are taken.</param>
    /// <param name="logits">N x C logits, row-major.</param>
    public static MemberScores FromLogits(string name, int classes, ScoreRule rule, ReadOnlySpan<float> logits)
    {
        var values = logits.ToArray();
        if (rule == ScoreRule.Softmax && classes > 0 && values.Length % classes == 0)
            for (var start = 0; start < values.Length; start += classes) LogOddsOfSoftmax(values.AsSpan(start, classes));
        return new MemberScores(name, classes, values);
    }

    /// <summary>From N x C probabilities in [0, 1], row-major.</summary>
    public static MemberScores FromProbabilities(string name, int classes, ReadOnlySpan<double> probabilities)
    {
        var values = new float[probabilities.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (probabilities[i] is < 0 or > 1)
                throw new ArgumentException($"A score of {name} is {probabilities[i]}; expected probabilities in [0, 1].");
            values[i] = (float)LogOdds(probabilities[i]);
        }
        return new MemberScores(name, classes, values);
    }

    /// <summary>
    /// From N x C probabilities in [0, 1], row-major, of a member that has not scored every row, or does not know every class: NaN stands for
    /// what it says nothing of, where the other members speak alone.
    /// </summary>
    public static MemberScores FromPartial(string name, int classes, ReadOnlySpan<float> probabilities)
    {
        var values = new float[probabilities.Length];
        for (var i = 0; i < values.Length; i++)
        {
            if (probabilities[i] is < 0 or > 1) throw new ArgumentException($"A score of {name} is {probabilities[i]}; expected probabilities in [0, 1], or NaN.");
            values[i] = float.IsNaN(probabilities[i]) ? float.NaN : (float)LogOdds(probabilities[i]);
        }
        return new MemberScores(name, classes, values, mayBePartial: true);
    }

    /// <summary>From the scores of a run, which are probabilities.</summary>
    public static MemberScores FromScores(string name, Scores scores) => FromProbabilities(name, scores.Classes.Count, scores.Values);

    /// <summary>The rows of another order or part.</summary>
    public MemberScores Take(IReadOnlyList<int> rows)
    {
        var values = new float[rows.Count * Classes];
        for (var i = 0; i < rows.Count; i++) Array.Copy(_logits, rows[i] * Classes, values, i * Classes, Classes);
        return new MemberScores(Name, Classes, values, !IsWhole);
    }

    /// <summary>log(p / (1 - p)), with p held off 0 and 1 by <see cref="Margin"/>.</summary>
    public static double LogOdds(double probability)
    {
        var p = Math.Clamp(probability, Margin, 1 - Margin);
        return Math.Log(p / (1 - p));
    }

    /// <summary>1 / (1 + exp(-z)), in [0, 1] for any z.</summary>
    public static double Probability(double logOdds) => 1 / (1 + Math.Exp(-logOdds));

    /// <summary>log p - log(1 - p) = z_c - log sum_(j != c) exp(z_j).</summary>
    static void LogOddsOfSoftmax(Span<float> row)
    {
        var largest = double.NegativeInfinity;
        foreach (var z in row) largest = Math.Max(largest, z);
        var sum = 0.0;
        foreach (var z in row) sum += Math.Exp(z - largest);
        foreach (ref var z in row) z = (float)LogOdds(Math.Exp(z - largest) / sum);
    }
}
