using System.Diagnostics;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>Cases that are timed side by side: every round runs each case once, so that a noisy machine disturbs all alike.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Title">What is compared.</param>
/// <param name="Cases">The cases; ratios are taken against the first of the same phase.</param>
public sealed record BenchGroup(string Name, string Title, IReadOnlyList<BenchCase> Cases)
{
    /// <summary>Times every case once per round, after one unmeasured call, and returns medians.</summary>
    public IReadOnlyList<BenchRow> Measure(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var seconds = Cases.Select(_ => new double[rounds]).ToArray();
        for (var round = -1; round < rounds; round++)
            for (var i = 0; i < Cases.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                progress($"{Name}: round {round + 1}/{rounds}, {Cases[i].Subject} {Cases[i].Phase}");
                GC.Collect(); // between measurements, so that none falls into one
                var watch = Stopwatch.StartNew();
                Cases[i].Work();
                if (round >= 0) seconds[i][round] = watch.Elapsed.TotalSeconds;
            }
        return [.. Cases.Select((c, i) =>
        {
            var first = Enumerable.Range(0, Cases.Count).First(j => Cases[j].Phase == c.Phase && Cases[j].Unit == c.Unit);
            double Speed(int j, int round) => Cases[j].Units / seconds[j][round];
            return new BenchRow(
                c.Subject, c.Phase, c.Variant,
                Round(Median(Enumerable.Range(0, rounds).Select(r => Speed(i, r)))), c.Unit,
                Round(Median(Enumerable.Range(0, rounds).Select(r => Speed(i, r) / Speed(first, r)))),
                $"{Cases[first].Subject} {Cases[first].Variant}");
        })];
    }

    static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    static double Round(double value) => double.Parse(value.ToString("G4"), System.Globalization.CultureInfo.InvariantCulture);
}
