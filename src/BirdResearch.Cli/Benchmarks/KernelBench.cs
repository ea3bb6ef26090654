using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Jupyter;
using BirdResearch.Notebooks.Languages;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>What a notebook's user waits for beside his own code: the kernel's start to its first result, and what each trivial cell costs.</summary>
static class KernelBench
{
    const int Cells = 20, MostStarts = 5;

    /// <summary>The group. Its sessions and kernels are handed to <paramref name="own"/>, which disposes them.</summary>
    public static BenchGroup Create(Action<IDisposable> own)
    {
        var cases = new List<BenchCase>();
        var starts = new List<(LanguageInfo Language, BenchCase Case)>();
        var cells = new List<(LanguageInfo Language, string Way, BenchCase Case)>();
        foreach (var language in LanguageInfo.All)
        {
            var start = new BenchCase(language.Name, "start", "process to first result", 1, "starts/s", () =>
            {
                using var kernel = new KernelProbe(language.Id);
                kernel.Run("1 + 1");
            })
            { MostRounds = MostStarts };
            cases.Add(start);
            starts.Add((language, start));
        }
        foreach (var language in LanguageInfo.All)
        {
            var session = new Lazy<NotebookSession>(() => Owned(new NotebookSession(language.Id)));
            var kernel = new Lazy<KernelProbe>(() => Owned(new KernelProbe(language.Id)));
            Add("in process", () =>
            {
                var reply = session.Value.Run(new CellRequest("1 + 1", Count: 1), Cell.Output).GetAwaiter().GetResult();
                if (reply.Error is { } error) throw new InvalidOperationException($"{language.Name}: {error.Name}: {error.Message}");
            });
            Add("through ZeroMQ", () => kernel.Value.Run("1 + 1"));

            void Add(string way, Action run)
            {
                var one = new BenchCase(language.Name, "cell", way, Cells, "cells/s", () =>
                {
                    for (var i = 0; i < Cells; i++) run();
                });
                cases.Add(one);
                cells.Add((language, way, one));
            }
        }

        return new BenchGroup("kernel", $"Notebook kernel: starts, and {Cells} trivial cells one after another", cases)
        {
            Goals = times =>
            [
                .. starts.Select(s => new BenchGoal($"{s.Language.Name}: start of the process to its first result", times.Of(s.Case), "s", 5, 2.5, true)),
                .. cells.Select(c => new BenchGoal($"{c.Language.Name}: a trivial cell, {c.Way}", 1000 * times.Of(c.Case) / Cells, "ms", 50, 20, true)),
            ],
        };

        T Owned<T>(T thing) where T : IDisposable
        {
            own(thing);
            return thing;
        }
    }
}
