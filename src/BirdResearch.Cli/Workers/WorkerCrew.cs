using System.Globalization;
using BirdResearch.Experiments;

namespace BirdResearch.Cli.Workers;

/// <summary>Several processes of this program that train the trials of one ablation side by side, each taking what is missing.</summary>
static class WorkerCrew
{
    /// <summary>Most workers of one call.</summary>
    public const int Most = 256;

    /// <summary>Runs the trials and returns what went wrong: runs that failed and workers that ended by themselves.</summary>
    /// <param name="store">Where runs lie.</param>
    /// <param name="work">The trials.</param>
    /// <param name="workers">How many at once; no more than there are trials are started.</param>
    /// <param name="threads">Threads of each; null shares the cores out.</param>
    /// <param name="listenerOf">Who hears of the trial of that index.</param>
    /// <param name="cancellation">Stops all of them between two steps.</param>
    public static IReadOnlyList<string> Run(
        RunStore store, WorkPlan work, int workers, int? threads, Func<int, IProgress<RunEvent>> listenerOf, CancellationToken cancellation)
    {
        workers = Math.Min(workers, work.Ablation.Trials.Count);
        var plan = Path.Combine(Path.GetTempPath(), $"bird-{Guid.NewGuid():N}.json");
        work.Write(plan);
        var hall = new Hall(store, work.Ablation.Name, [.. work.Ablation.Trials.Select((_, i) => listenerOf(i))]);
        var crew = new List<WorkerProcess>();
        try
        {
            for (var number = 1; number <= workers; number++)
                crew.Add(new WorkerProcess(number, Arguments(plan, number, threads ?? Math.Max(1, Environment.ProcessorCount / workers)), hall.Hear));
            using var stop = cancellation.Register(() => crew.ForEach(w => w.Stop()));
            var crashes = crew.Select(Crash).OfType<string>().ToList();
            cancellation.ThrowIfCancellationRequested();
            return [.. hall.Failures, .. crashes];
        }
        finally
        {
            foreach (var worker in crew)
            {
                worker.Stop();
                worker.Dispose();
            }
            File.Delete(plan);
        }

        string? Crash(WorkerProcess worker)
        {
            var code = worker.End();
            if (code == 0 || cancellation.IsCancellationRequested || (code == Verb.Failed && hall.Failures.Count > 0)) return null;
            var text = $"Worker {worker.Number} ended by itself with code {code}{(code > 128 ? $" (signal {code - 128})" : "")}; the others go on.";
            Screen.Warn(worker.LastErrors.Length > 0 ? $"{text} Its last words:\n{worker.LastErrors}" : text);
            return text;
        }
    }

    static IEnumerable<string> Arguments(string plan, int number, int threads) =>
        ["work", plan, "--worker", $"worker {number}", "--threads", threads.ToString(CultureInfo.InvariantCulture), "--events"];

    /// <summary>Where the workers' lines come together. What several of them tell, such as that a run is there, is passed on once.</summary>
    sealed class Hall(RunStore store, string ablation, IReadOnlyList<IProgress<RunEvent>> listeners)
    {
        readonly Lock _gate = new();
        readonly HashSet<int> _over = [];
        readonly List<string> _failures = [];

        public IReadOnlyList<string> Failures
        {
            get { lock (_gate) return [.. _failures]; }
        }

        public void Hear(string line)
        {
            lock (_gate)
            {
                if (WorkerEvent.Of(line) is not { } told)
                {
                    if (line.Length > 0) Screen.Line(line);
                    return;
                }
                var ends = told.Phase is RunPhase.ReadBack or RunPhase.Finished or RunPhase.Failed;
                if (ends ? !_over.Add(told.Trial) : _over.Contains(told.Trial)) return;
                if (told.Phase == RunPhase.Failed) _failures.Add($"{told.Run}: {told.Note}");
                var record = told.Phase is RunPhase.ReadBack or RunPhase.Finished ? store.Find(ablation, told.Run) : null;
                listeners[told.Trial].Report(new RunEvent(told.Run, told.Phase, told.Training, record, told.Note));
            }
        }
    }
}
