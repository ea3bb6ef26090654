using System.CommandLine;
using BirdResearch.Experiments;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird demo</c>: the whole road once, small.</summary>
public static class Demo
{
    /// <summary>The verb.</summary>
    public static Command Create() => new Command("demo",
        """
        The whole road in a few minutes: makes the synthetic bird recordings, trains two models on two front-ends with three seeds each under one
        budget, a run per core at a time, prints a table and writes report.html. A second call reads everything back; an interrupted one goes on.
        """).Does((_, cancellation) => Run.Go(
            Ablations.Demo.Over(Ablations.Demo.Seeds), null, cancellation, workers: Math.Clamp(Environment.ProcessorCount, 1, MostWorkers)));

    // More would want more memory than a small machine has.
    const int MostWorkers = 4;
}
