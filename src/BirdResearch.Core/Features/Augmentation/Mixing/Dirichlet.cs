using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Shares that sum to 1, from the symmetric Dirichlet distribution; of two shares that is Beta(alpha, alpha).</summary>
static class Dirichlet
{
    /// <summary>Draws so many shares.</summary>
    public static double[] Draw(CounterRandom random, int count, double alpha)
    {
        // Each is the share of one of so many Gamma(alpha) variables, in logarithms so that a small alpha does not underflow.
        var logarithms = new double[count];
        for (var i = 0; i < count; i++) logarithms[i] = LogGamma(random, alpha);
        var largest = logarithms.Max();
        double[] shares = [.. logarithms.Select(l => Math.Exp(l - largest))];
        var sum = shares.Sum();
        return [.. shares.Select(s => s / sum)];
    }

    // Logarithm of a Gamma(shape, 1) variable (Marsaglia and Tsang 2000); below 1 as Gamma(shape + 1) U^(1 / shape).
    static double LogGamma(CounterRandom random, double shape)
    {
        if (shape < 1) return LogGamma(random, shape + 1) + Math.Log(1 - random.NextDouble()) / shape;
        var d = shape - 1.0 / 3;
        while (true)
        {
            var x = random.NextGaussian();
            var v = Math.Pow(1 + x / Math.Sqrt(9 * d), 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < x * x / 2 + d * (1 - v + Math.Log(v))) return Math.Log(d * v);
        }
    }
}
