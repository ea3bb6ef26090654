namespace BirdResearch.Cli.Benchmarks;

/// <summary>Seconds of every case in every round.</summary>
public sealed class BenchTimes(IReadOnlyList<BenchCase> cases, double[][] seconds)
{
    readonly Dictionary<Action, double[]> _seconds = cases.Zip(seconds).ToDictionary(p => p.First.Work, p => p.Second);

    /// <summary>Median seconds of one call.</summary>
    public double Of(BenchCase one) => Median(_seconds[one.Work]);

    /// <summary>Median over the rounds of how many times as long <paramref name="a"/> took as <paramref name="b"/>.</summary>
    public double Ratio(BenchCase a, BenchCase b) => Median(_seconds[a.Work].Zip(_seconds[b.Work], (x, y) => x / y));

    /// <summary>The case of the highest median speed.</summary>
    public BenchCase Fastest(IEnumerable<BenchCase> some) => some.MaxBy(c => c.Units / Of(c))!;

    static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
