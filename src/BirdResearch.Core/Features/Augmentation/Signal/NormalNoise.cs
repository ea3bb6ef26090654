using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Independent normal samples by the ziggurat of 128 layers (Marsaglia and Tsang 2000; 32 bits and the layer from different bits, after Doornik 2005).</summary>
static class NormalNoise
{
    const int Layers = 128;
    const double Edge = 3.442619855899, Area = 9.91256303526217e-3;   // where the tail begins; area of a layer

    static readonly double[] X = Edges();
    static readonly double[] Y = [.. X.Select(x => Math.Exp(-0.5 * x * x))];

    /// <summary>Fills with samples of mean 0 and standard deviation 1.</summary>
    public static void Fill(Span<float> samples, CounterRandom random)
    {
        foreach (ref var sample in samples) sample = (float)Next(random);
    }

    static double Next(CounterRandom random)
    {
        while (true)
        {
            var bits = random.NextBits();
            var layer = (int)(bits & (Layers - 1));
            var u = (int)(bits >> 32) * (1.0 / (1L << 31));            // [-1, 1)
            var x = u * X[layer];
            if (Math.Abs(x) < X[layer + 1]) return x;
            if (layer == 0) return Tail(random, u < 0);
            if (Y[layer] + random.NextDouble() * (Y[layer + 1] - Y[layer]) < Math.Exp(-0.5 * x * x)) return x;
        }
    }

    static double Tail(CounterRandom random, bool negative)
    {
        double x, y;
        do
        {
            x = -Math.Log(1 - random.NextDouble()) / Edge;
            y = -Math.Log(1 - random.NextDouble());
        }
        while (2 * y < x * x);
        return negative ? -Edge - x : Edge + x;
    }

    // Layer 0 is the rectangle below the tail's density, made so wide that its area is that of the others.
    static double[] Edges()
    {
        var x = new double[Layers + 1];
        (x[0], x[1]) = (Area / Math.Exp(-0.5 * Edge * Edge), Edge);
        for (var i = 2; i < Layers; i++) x[i] = Math.Sqrt(-2 * Math.Log(Area / x[i - 1] + Math.Exp(-0.5 * x[i - 1] * x[i - 1])));
        return x;
    }
}
