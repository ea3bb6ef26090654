using BirdResearch.Claims;
using BirdResearch.Cli.Workers;
using BirdResearch.Experiments;

namespace BirdResearch.Cli.Slurm;

/// <summary>
/// An ablation on a cluster. What is finished is told by the run store, what waits or runs by the queue; plans and logs of the arrays lie in
/// <c>results/&lt;ablation&gt;/slurm</c>, and a job's name says which plan it follows.
/// </summary>
sealed class SlurmArray
{
    readonly RunStore _store;
    readonly Ablation _ablation;
    readonly string _folder;
    readonly IReadOnlyList<string> _names, _arms;

    /// <param name="store">On a file system that the nodes share.</param>
    /// <param name="runner">Knows the data.</param>
    /// <param name="ablation">Its trials.</param>
    /// <param name="arms">Files of the arms of one's own among them.</param>
    public SlurmArray(RunStore store, TrialRunner runner, Ablation ablation, IReadOnlyList<string> arms)
    {
        (_store, _ablation, _arms, _folder) = (store, ablation, arms, Path.Combine(store.AblationFolder(ablation.Name), "slurm"));
        _names = [.. ablation.Trials.Select(t => RunStore.NameOf(runner.Complete(t), runner.Open(t.Data)))];
    }

    string JobStart => $"bird-{_ablation.Name}-";

    /// <summary>The script that <see cref="Submit"/> would hand in now, where no job of this ablation is queued.</summary>
    public string Preview(SlurmSettings settings)
    {
        var (name, plan, tasks) = PlanOf(Missing([]), settings);
        return SlurmScript.Text(name, plan, LogStart(name), tasks.Tasks, settings);
    }

    /// <summary>Submits what is neither finished nor in the queue; returns the job and how many runs it has, or null where nothing is to do.</summary>
    public (string Job, int Runs)? Submit(SlurmSettings settings)
    {
        settings.Check();
        var missing = Missing(Queued(SlurmCluster.Tasks(JobStart)).Keys);
        if (missing.Count == 0) return null;
        Directory.CreateDirectory(_folder);
        var (name, file, plan) = PlanOf(missing, settings);
        plan.Write(file);
        return (SlurmCluster.Submit(SlurmScript.Text(name, file, LogStart(name), plan.Tasks, settings)), missing.Count);
    }

    /// <summary>How each run stands: run, state, and what there is to say.</summary>
    public IReadOnlyList<(string Run, string State, string Note)> State()
    {
        var queue = Queued(SlurmCluster.Tasks(JobStart));
        var watch = new ClaimWatch(ClaimHolder.Here());
        return [.. _names.Distinct().Select(run =>
        {
            var (state, note) = StateOf(run, queue.GetValueOrDefault(run), watch.Look(_store.ClaimOf(_ablation.Name, run)));
            return (run, state, note);
        })];
    }

    /// <summary>Ends every job of this ablation and returns their numbers.</summary>
    public IReadOnlyList<string> Cancel()
    {
        var own = Plans();
        IReadOnlyList<string> jobs = [.. SlurmCluster.Tasks(JobStart).Where(t => own.ContainsKey(t.Name)).Select(t => t.Id.Split('_')[0]).Distinct()];
        if (jobs.Count > 0) SlurmCluster.Cancel(jobs);
        return jobs;
    }

    (string State, string Note) StateOf(string run, SlurmTask? task, ClaimView claim)
    {
        if (_store.Find(_ablation.Name, run) is not null) return ("finished", "");
        var note = claim.Note;
        var log = note is null ? "" : LastLogLine(run);
        if (note is { State: ClaimState.Held } && !claim.IsOpen && Age(note) < 3 * note.Holder.LeaseSeconds)
            return ("running", $"{note.Holder}, since {note.Since.ToLocalTime():yyyy-MM-dd HH:mm}");
        if (task is { IsWaiting: true }) return ("queued", $"task {task.Id} {task.Reason}{(note is null ? "" : ", goes on from its last whole epoch")}");
        if (task is not null) return (task.State.ToLowerInvariant(), $"task {task.Id} on {task.Reason}");
        return note switch
        {
            null => ("missing", "not submitted"),
            { State: ClaimState.Failed } => ("failed", note.Message + log),
            { State: ClaimState.Held } => ("stopped", $"{note.Holder} gave no sign of life since {note.LastBeat.ToLocalTime():yyyy-MM-dd HH:mm}{log}"),
            _ => ("stopped", $"given back by {note.Holder}{log}"),
        };
    }

    // Clocks of two machines differ by less than a lease where anything works; it only colours what is shown.
    static double Age(ClaimNote note) => (DateTime.UtcNow - note.LastBeat).TotalSeconds;

    /// <summary>Runs that are neither finished nor among those in the queue.</summary>
    List<(Trial Trial, string Run)> Missing(IEnumerable<string> queued)
    {
        var waiting = queued.ToHashSet();
        return [.. _ablation.Trials.Zip(_names).DistinctBy(p => p.Second)
            .Where(p => !waiting.Contains(p.Second) && _store.Find(_ablation.Name, p.Second) is null)];
    }

    (string Job, string File, WorkPlan Plan) PlanOf(List<(Trial Trial, string Run)> missing, SlurmSettings settings)
    {
        var session = Guid.NewGuid().ToString("N")[..8];
        var grid = _ablation with { Trials = [.. missing.Select(m => m.Trial)] };
        var plan = new WorkPlan(grid, session, settings.RunsPerTask) { Runs = [.. missing.Select(m => m.Run)], Arms = _arms };
        return ($"{JobStart}{session}", Path.Combine(_folder, $"{session}.json"), plan);
    }

    /// <summary>Every plan of this ablation by the name of its job.</summary>
    Dictionary<string, WorkPlan> Plans() => Directory.Exists(_folder)
        ? Directory.EnumerateFiles(_folder, "*.json").ToDictionary(file => JobStart + Path.GetFileNameWithoutExtension(file), WorkPlan.Read)
        : [];

    /// <summary>Runs that the queue will train, each with its task.</summary>
    Dictionary<string, SlurmTask> Queued(IReadOnlyList<SlurmTask> tasks)
    {
        var plans = Plans();
        var queued = new Dictionary<string, SlurmTask>();
        foreach (var task in tasks)
            if (plans.TryGetValue(task.Name, out var plan))
                foreach (var run in plan.RunsOf(task.Index)) queued[run] = task;
        return queued;
    }

    string LogStart(string job) => Path.Combine(_folder, job[JobStart.Length..]);

    /// <summary>The last line of the newest log of a run.</summary>
    string LastLogLine(string run)
    {
        var log = Plans()
            .SelectMany(p => Enumerable.Range(0, p.Value.Tasks).Where(task => p.Value.RunsOf(task).Contains(run)).Select(task => $"{LogStart(p.Key)}.{task}.log"))
            .Where(File.Exists).MaxBy(File.GetLastWriteTimeUtc);
        var line = log is null ? null : File.ReadLines(log).LastOrDefault(l => !string.IsNullOrWhiteSpace(l));
        return line is null ? "" : $" | {Path.GetFileName(log)}: {line.Trim()}";
    }
}
