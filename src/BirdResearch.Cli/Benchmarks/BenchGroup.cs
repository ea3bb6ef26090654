using System.Diagnostics;
using TorchSharp;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>Cases that are timed side by side: every round runs each case once, so that a noisy machine disturbs all alike.</summary>
/// <param name="Name">Name on the command line.</param>
/// <param name="Title">What is compared.</param>
/// <param name="Cases">The cases; ratios are taken against the first of the same phase.</param>
public sealed record BenchGroup(string Name, string Title, IReadOnlyList<BenchCase> Cases)
{
    /// <summary>What the group was made to find, from the times; null for a group that only lists speeds.</summary>
    public Func<BenchTimes, IReadOnlyList<BenchGoal>>? Goals { get; init; }

    /// <summary>Times every case once per round, after two unmeasured calls.</summary>
    public BenchTimes Time(int rounds, Action<string> progress, CancellationToken cancellation)
    {
        var threads = torch.get_num_threads();
        var seconds = Cases.Select(c => new double[Math.Min(rounds, c.MostRounds)]).ToArray();
        for (var round = -2; round < rounds; round++)
            for (var i = 0; i < Cases.Count; i++)
            {
                if (round >= seconds[i].Length || (round == -2 && seconds[i].Length < rounds)) continue; // one warm-up is enough for long ones
                cancellation.ThrowIfCancellationRequested();
                progress($"{Name}: round {Math.Max(0, round + 1)}/{rounds}, {Cases[i].Subject} {Cases[i].Phase}");
                if (Cases[i].Threads is { } own) torch.set_num_threads(own);
                GC.Collect(); // between measurements, so that none falls into one
                var watch = Stopwatch.StartNew();
                Cases[i].Work();
                if (round >= 0) seconds[i][round] = watch.Elapsed.TotalSeconds;
                torch.set_num_threads(threads);
            }
        return new BenchTimes(Cases, seconds);
    }

    /// <summary>Medians, and ratios against the first case of the same phase and unit.</summary>
    public IReadOnlyList<BenchRow> Rows(BenchTimes times) => [.. Cases.Select(c =>
    {
        var first = Cases.First(other => other.Phase == c.Phase && other.Unit == c.Unit);
        return new BenchRow(
            c.Subject, c.Phase, c.Variant, Round(c.Units / times.Of(c)), c.Unit,
            Round(times.Ratio(first, c) * c.Units / first.Units), $"{first.Subject} {first.Variant}");
    })];

    static double Round(double value) => double.Parse(value.ToString("G4"), System.Globalization.CultureInfo.InvariantCulture);
}
