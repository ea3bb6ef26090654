namespace BirdResearch.Data;

/// <summary>
/// How likely a sample is drawn, by the classes that it holds. A class of n samples has a weight that falls with n; a sample has the
/// weight of the rarest of its classes, so that a rare bird in the background of a common one's recording is not lost, and one
/// that holds none has that of a class of its own.
/// </summary>
static class ClassWeights
{
    /// <summary>A weight above 0 for each sample.</summary>
    /// <param name="labels">Classes present in each sample.</param>
    /// <param name="balance">Inverse square root or effective number.</param>
    /// <param name="beta">Beta of the effective number.</param>
    public static double[] Of(IReadOnlyList<IReadOnlyList<string>> labels, ClassBalance balance, double beta)
    {
        var counts = labels.SelectMany(l => l.Count > 0 ? l : [""]).CountBy(l => l).ToDictionary();
        var weights = counts.ToDictionary(c => c.Key, c => balance switch
        {
            ClassBalance.InverseSqrt => 1 / Math.Sqrt(c.Value),
            ClassBalance.EffectiveNumber => (1 - beta) / (1 - Math.Pow(beta, c.Value)),
            _ => 1,
        });
        return [.. labels.Select(l => l.Count > 0 ? l.Max(c => weights[c]) : weights[""])];
    }

    /// <summary>As many draws with replacement as there are weights, each in proportion to its weight: indices, in the order drawn.</summary>
    public static int[] Draw(double[] weights, CounterRandom random)
    {
        var sums = new double[weights.Length];
        var sum = 0.0;
        for (var i = 0; i < sums.Length; i++) sums[i] = sum += weights[i];
        var drawn = new int[weights.Length];
        for (var i = 0; i < drawn.Length; i++)
        {
            var at = Array.BinarySearch(sums, random.NextDouble() * sum);
            drawn[i] = Math.Min(at >= 0 ? at + 1 : ~at, sums.Length - 1);
        }
        return drawn;
    }
}
