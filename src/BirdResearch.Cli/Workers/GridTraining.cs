using BirdResearch.Experiments;
using BirdResearch.Training;

namespace BirdResearch.Cli.Workers;

/// <summary>Trains what is missing of a grid on this machine, in this process or by a crew of several.</summary>
sealed class GridTraining
{
    readonly RunStore _store;
    readonly TrialRunner _runner;
    readonly int _workers;
    readonly int? _threads;
    readonly IReadOnlyList<string> _arms;
    readonly CancellationToken _cancellation;
    readonly List<string> _troubles = [];

    /// <param name="store">Where runs lie.</param>
    /// <param name="runner">Knows the data.</param>
    /// <param name="workers">Trainings at once.</param>
    /// <param name="threads">Threads of each; null takes all cores, shared out among the workers.</param>
    /// <param name="arms">Files of the arms of one's own among the trials.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public GridTraining(RunStore store, TrialRunner runner, int workers, int? threads, IReadOnlyList<string> arms, CancellationToken cancellation)
    {
        if (workers is < 1 or > WorkerCrew.Most) throw new ArgumentException($"--workers is {workers}; it must be between 1 and {WorkerCrew.Most}.");
        (_store, _runner, _workers, _threads, _arms, _cancellation) = (store, runner, workers, threads, arms, cancellation);
    }

    /// <summary>Runs that failed, and workers that ended by themselves.</summary>
    public IReadOnlyList<string> Troubles => _troubles;

    /// <summary>Trains a grid.</summary>
    public void Run(Ablation grid)
    {
        if (_workers == 1)
        {
            TrialScreen.Show(grid.Trials, listener => _runner.RunAll(grid.Name, grid.Trials, listener, _cancellation));
            return;
        }
        if (grid.Trials.Any(t => t.Training.Budget.Unit == BudgetUnit.Seconds))
            Screen.Warn($"A budget is in seconds, and {_workers} workers share this machine: each second does less than it would alone.");
        var plan = new WorkPlan(grid, Guid.NewGuid().ToString("N")) { Arms = _arms };
        _troubles.AddRange(TrialScreen.Show(grid.Trials, listener => WorkerCrew.Run(_store, plan, _workers, _threads, listener, _cancellation), several: true));
    }

    /// <summary>Trains a grid of which every run is needed, and returns the records in its order.</summary>
    public IReadOnlyList<RunRecord> RunWhole(Ablation grid)
    {
        Run(grid);
        var names = grid.Trials.Select(t => RunStore.NameOf(_runner.Complete(t), _runner.Open(t.Data)));
        return [.. names.Select(name => _store.Find(grid.Name, name)
            ?? throw new InvalidOperationException($"'{name}' is missing, and the next step needs it: {string.Join("; ", _troubles)}"))];
    }
}
