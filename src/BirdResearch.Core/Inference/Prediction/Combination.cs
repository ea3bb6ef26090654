namespace BirdResearch.Inference.Prediction;

/// <summary>
/// Turns what models said into one table of probabilities by an ensemble's rule. A member that is made of several models is the mean of their
/// probabilities. Rows that not all members have scored are combined from those that have; rows that nobody scored, and columns that nobody
/// knows, hold the prior.
/// </summary>
/// <param name="ensemble">Rule, weights and post-processing, its class weights and calibration in the plan's columns.</param>
public sealed class Combination(Ensemble ensemble)
{
    /// <summary>All models alike, the mean of probabilities.</summary>
    public static Combination Of(IReadOnlyList<Member> members, EnsembleRule rule = EnsembleRule.Probabilities, PostProcessing? postProcessing = null) =>
        new(Ensemble.Of([.. members.Select(m => m.Part).Distinct()], rule) with { PostProcessing = postProcessing ?? new() });

    /// <summary>The table: rows x columns, row-major.</summary>
    public float[] Combine(Predictions predictions)
    {
        var (plan, columns) = (predictions.Plan, predictions.Plan.Columns.Count);
        var parts = ensemble.Members.Select(name => Enumerable.Range(0, predictions.Members.Count).Where(m => predictions.Members[m].Part == name).ToArray()).ToArray();
        var lost = Array.FindIndex(parts, p => p.Length == 0);
        if (lost >= 0) throw new ArgumentException($"The ensemble's member {ensemble.Members[lost]} has no model here.");
        var scores = new float[plan.Rows.Count * columns];
        for (var r = 0; r < plan.Rows.Count; r++)
            for (var c = 0; c < columns; c++) scores[(r * columns) + c] = predictions.Prior[c];

        var scorers = Enumerable.Range(0, plan.Rows.Count).ToLookup(r => string.Concat(parts.Select(p => p.Any(m => predictions.IsScored(m, r)) ? '1' : '0')));
        foreach (var rows in scorers.Where(g => g.Key.Contains('1'))) Combine(predictions, parts, rows.Key, [.. rows], scores);
        return ensemble.PostProcessing.Apply(scores, columns, [.. plan.Recordings.Select(r => new RecordingRows(r.First, r.Rows.Count))]);
    }

    /// <summary>Rows that the same members have scored.</summary>
    void Combine(Predictions predictions, int[][] parts, string who, int[] rows, float[] scores)
    {
        var columns = predictions.Plan.Columns.Count;
        int[] present = [.. Enumerable.Range(0, parts.Length).Where(p => who[p] == '1')];
        var said = present.Select(p => Said(predictions, parts[p], ensemble.Members[p], rows)).ToArray();
        var only = ensemble.Only([.. present.Select(p => ensemble.Members[p])]) with { PostProcessing = new() };
        var known = Known(only, [.. present.Select(p => parts[p])], predictions);
        var combined = (known is null ? only : only with { ClassWeights = known.Value.Weights }).Combine(said);
        for (var i = 0; i < rows.Length; i++)
            for (var c = 0; c < columns; c++)
                if (known is null || known.Value.Columns[c]) scores[(rows[i] * columns) + c] = combined[(i * columns) + c];
    }

    /// <summary>The mean of a member's models over those that have scored a row.</summary>
    static MemberScores Said(Predictions predictions, int[] models, string name, int[] rows)
    {
        var columns = predictions.Plan.Columns.Count;
        var mean = new double[rows.Length * columns];
        for (var i = 0; i < rows.Length; i++)
        {
            var count = models.Count(m => predictions.IsScored(m, rows[i]));
            foreach (var m in models)
            {
                if (!predictions.IsScored(m, rows[i])) continue;
                var said = predictions.Of(m, rows[i]);
                for (var c = 0; c < columns; c++) mean[(i * columns) + c] += said[c] / (double)count;
            }
        }
        return MemberScores.FromProbabilities(name, columns, mean);
    }

    /// <summary>Class weights that leave out members who do not know a class, and which columns anybody knows; null where all know all.</summary>
    static (IReadOnlyList<IReadOnlyList<double>> Weights, bool[] Columns)? Known(Ensemble ensemble, int[][] parts, Predictions predictions)
    {
        var columns = predictions.Plan.Columns.Count;
        var knows = Enumerable.Range(0, columns).Select(c => parts.Select(models => models.All(m => predictions.Knows(m, c))).ToArray()).ToArray();
        if (knows.All(column => column.All(k => k))) return null;
        return ([.. knows.Select((column, c) => Weights(column, ensemble.WeightsOf(c)))], [.. knows.Select(column => column.Any(k => k))]);

        static IReadOnlyList<double> Weights(bool[] knows, double[] weights)
        {
            double[] left = [.. weights.Select((w, m) => knows[m] ? w : 0)];
            return left.Sum() > 0 ? left : [.. knows.Select(k => k || !knows.Contains(true) ? 1.0 : 0)];
        }
    }
}
