using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>Random numbers that several augmentations draw alike.</summary>
static class Draw
{
    /// <summary>Evenly on a logarithmic scale; both ends above 0.</summary>
    public static double Logarithmic(CounterRandom random, double low, double high) => low * Math.Pow(high / low, random.NextDouble());

    /// <summary>Where in a window reading begins at a step: anywhere it can without running out; 0 where it runs out anyhow.</summary>
    public static double Start(CounterRandom random, int length, double step) => Math.Floor(random.NextDouble() * Math.Max(0, length - length * step));

    /// <summary>A whole number from <paramref name="low"/> to <paramref name="high"/>.</summary>
    public static int Count(CounterRandom random, int low, int high) => random.NextInt(low, high + 1);
}
