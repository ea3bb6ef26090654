namespace BirdResearch.Inference.Prediction;

/// <summary>Turns what members said into one table of probabilities.</summary>
public static class Combination
{
    /// <summary>
    /// Weighted mean of the probabilities of the members that scored a row and know a class. Rows that nobody scored, and columns that nobody
    /// knows, hold the prior.
    /// </summary>
    /// <returns>Rows x columns, row-major.</returns>
    public static float[] Mean(Predictions predictions)
    {
        var (plan, members) = (predictions.Plan, predictions.Members);
        var columns = plan.Columns.Count;
        bool[][] knows = [.. members.Select((_, m) => Enumerable.Range(0, columns).Select(c => predictions.Knows(m, c)).ToArray())];
        var scores = new float[plan.Rows.Count * columns];
        var (sums, weights) = (new double[columns], new double[columns]);
        for (var r = 0; r < plan.Rows.Count; r++)
        {
            Array.Clear(sums);
            Array.Clear(weights);
            for (var m = 0; m < members.Count; m++)
            {
                if (!predictions.IsScored(m, r)) continue;
                var said = predictions.Of(m, r);
                for (var c = 0; c < columns; c++)
                {
                    if (!knows[m][c]) continue;
                    sums[c] += members[m].Weight * said[c];
                    weights[c] += members[m].Weight;
                }
            }
            for (var c = 0; c < columns; c++)
                scores[(r * columns) + c] = weights[c] > 0 ? (float)Math.Clamp(sums[c] / weights[c], 0, 1) : predictions.Prior[c];
        }
        return scores;
    }
}
