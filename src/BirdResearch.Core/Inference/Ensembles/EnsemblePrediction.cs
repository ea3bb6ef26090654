using BirdResearch.Inference.Prediction;

namespace BirdResearch.Inference;

/// <summary>Combines the members of a running or finished prediction.</summary>
public static class EnsemblePrediction
{
    /// <summary>
    /// Scores in [0, 1] of every row and column of the plan, row-major. Members that have not scored a row or do not know a column leave it to
    /// the others; where nobody speaks the prior stands. Members of the ensemble that take no part in the prediction are left out.
    /// </summary>
    public static float[] Combine(this Ensemble ensemble, Predictions predictions)
    {
        var plan = predictions.Plan;
        var columns = plan.Columns.Count;
        var places = Enumerable.Range(0, predictions.Members.Count).ToDictionary(m => predictions.Members[m].Name);
        var present = ensemble.Only([.. ensemble.Members.Where(places.ContainsKey)]);
        var members = present.Members.Select(name =>
        {
            var m = places[name];
            bool[] knows = [.. Enumerable.Range(0, columns).Select(c => predictions.Knows(m, c))];
            var scores = new float[plan.Rows.Count * columns];
            Array.Fill(scores, float.NaN);
            for (var r = 0; r < plan.Rows.Count; r++)
            {
                if (!predictions.IsScored(m, r)) continue;
                var said = predictions.Of(m, r);
                for (var c = 0; c < columns; c++)
                    if (knows[c]) scores[(r * columns) + c] = said[c];
            }
            return MemberScores.FromPartial(name, columns, scores);
        });
        return present.Combine([.. members], [.. plan.Recordings.Select(r => new RecordingRows(r.First, r.Rows.Count))], predictions.Prior);
    }
}
