namespace BirdResearch.Inference.Prediction;

/// <summary>
/// Turns what models said into one table of probabilities by an ensemble's rule. A member that is made of several models is the mean of their
/// probabilities. Models that have not scored a row, or do not know a column, leave it to the others; where nobody speaks the prior stands.
/// </summary>
/// <param name="ensemble">Rule, weights and post-processing, its class weights and calibration in the plan's columns.</param>
public sealed class Combination(Ensemble ensemble)
{
    /// <summary>All models alike.</summary>
    public static Combination Of(IReadOnlyList<Member> members, EnsembleRule rule = EnsembleRule.Probabilities) =>
        new(Ensemble.Of([.. members.Select(m => m.Part).Distinct()], rule));

    /// <summary>The table: rows x columns, row-major.</summary>
    public float[] Combine(Predictions predictions)
    {
        var said = ensemble.Members.Select(name => Said(predictions, name)).ToList();
        return ensemble.Combine(said, [.. predictions.Plan.Recordings.Select(r => new RecordingRows(r.First, r.Rows.Count))], predictions.Prior);
    }

    /// <summary>The mean of a member's models over those that have scored a row and know a column.</summary>
    static MemberScores Said(Predictions predictions, string name)
    {
        int[] models = [.. Enumerable.Range(0, predictions.Members.Count).Where(m => predictions.Members[m].Part == name)];
        if (models.Length == 0) throw new ArgumentException($"The ensemble's member {name} has no model here.");
        var (rows, columns) = (predictions.Plan.Rows.Count, predictions.Plan.Columns.Count);
        bool[][] knows = [.. models.Select(m => Enumerable.Range(0, columns).Select(c => predictions.Knows(m, c)).ToArray())];
        var mean = new float[rows * columns];
        Parallel.For(0, rows, r =>
        {
            for (var c = 0; c < columns; c++)
            {
                var (sum, count) = (0.0, 0);
                for (var i = 0; i < models.Length; i++)
                {
                    if (!knows[i][c] || !predictions.IsScored(models[i], r)) continue;
                    sum += predictions.Of(models[i], r)[c];
                    count++;
                }
                mean[(r * columns) + c] = count > 0 ? (float)(sum / count) : float.NaN;
            }
        });
        return MemberScores.FromPartial(name, columns, mean);
    }
}
