using System.CommandLine;
using BirdResearch.Experiments;

namespace BirdResearch.Cli.Slurm;

/// <summary>What 'bird run' takes for a cluster, and what it does with it.</summary>
sealed class SlurmOptions
{
    readonly Option<string> _executor = new("--executor") { Description = "local, or slurm: submit what is missing as an array to a Slurm cluster", DefaultValueFactory = _ => "local" };
    readonly Option<string?> _profile = new("--profile") { Description = "Slurm: file of settings (default: slurm.json among the results); the options below go before it" };
    readonly Option<string?> _partition = new("--partition") { Description = "Slurm: partition" };
    readonly Option<string?> _account = new("--account") { Description = "Slurm: account" };
    readonly Option<string?> _time = new("--time") { Description = "Slurm: time limit of a task, such as 04:00:00; a longer run goes on in the next sitting" };
    readonly Option<string?> _memory = new("--memory") { Description = "Slurm: memory of a task, such as 8G" };
    readonly Option<int?> _cpus = new("--cpus") { Description = "Slurm: cores of a task" };
    readonly Option<int?> _arrayLimit = new("--array-limit") { Description = "Slurm: most tasks at once" };
    readonly Option<int?> _runsPerTask = new("--runs-per-task") { Description = "Slurm: runs that a task trains one after another" };
    readonly Option<string[]> _setup = new("--setup") { Description = "Slurm: line of shell before the work, such as 'module load dotnet'; may be repeated" };
    readonly Option<string[]> _option = new("--sbatch") { Description = "Slurm: further option of sbatch, such as --constraint=avx512; may be repeated" };
    readonly Option<bool> _dryRun = new("--dry-run") { Description = "Slurm: print the script and submit nothing" };
    readonly Option<bool> _state = new("--state") { Description = "Slurm: say how each run stands" };
    readonly Option<bool> _cancel = new("--cancel") { Description = "Slurm: end the jobs of this ablation; what they did is kept" };

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[_executor, _profile, _partition, _account, _time, _memory, _cpus, _arrayLimit, _runsPerTask, _setup, _option, _dryRun, _state, _cancel])
            command.Options.Add(option);
    }

    /// <summary>Whether a cluster is asked for.</summary>
    public bool IsAsked(ParseResult parsed) => parsed.GetValue(_executor) switch
    {
        "local" => false,
        "slurm" => true,
        var other => throw new ArgumentException($"--executor is '{other}'; it must be local or slurm."),
    };

    /// <summary>Submits, tells the state or cancels, as asked.</summary>
    public int Go(ParseResult parsed, RunStore store, Ablation ablation, IReadOnlyList<string> arms, Func<Ablation, (TrialRunner Runner, Ablation Ablation)> open)
    {
        var output = Console.Out;
        if (parsed.GetValue(_dryRun)) Console.SetOut(Console.Error);   // a script that is printed can be kept
        (var runner, ablation) = open(ablation);
        Console.SetOut(output);
        var array = new SlurmArray(store, runner, ablation, [.. arms.Select(Path.GetFullPath)]);
        if (parsed.GetValue(_state)) return Tell(array, ablation);
        if (parsed.GetValue(_cancel))
        {
            Screen.Line(array.Cancel() is { Count: > 0 } jobs ? $"Cancelled: job {string.Join(", ", jobs)}" : "No job of this ablation is in the queue.");
            return 0;
        }
        var settings = Settings(parsed, store);
        if (parsed.GetValue(_dryRun))
        {
            Screen.Line(array.Preview(settings).TrimEnd());
            return 0;
        }
        Screen.Line(array.Submit(settings) is { } made
            ? $"Job {made.Job}: {made.Runs} runs. How they stand: the same command with --state; when they are finished: bird report {ablation.Name}"
            : "Nothing to submit: every run is finished or in the queue.");
        return 0;
    }

    static int Tell(SlurmArray array, Ablation ablation)
    {
        var runs = array.State();
        Screen.Table(["run", "state", "note"], runs.Select(r => (IReadOnlyList<string>)[r.Run, r.State, r.Note]));
        Screen.Line(string.Join(", ", runs.CountBy(r => r.State).Select(s => $"{s.Value} {s.Key}")));
        if (runs.All(r => r.State == "finished")) Screen.Line($"All are finished: bird report {ablation.Name}");
        return 0;
    }

    SlurmSettings Settings(ParseResult parsed, RunStore store)
    {
        var profile = SlurmProfile.Read(parsed.GetValue(_profile), store.Root);
        return profile with
        {
            Partition = parsed.GetValue(_partition) ?? profile.Partition,
            Account = parsed.GetValue(_account) ?? profile.Account,
            Time = parsed.GetValue(_time) ?? profile.Time,
            Memory = parsed.GetValue(_memory) ?? profile.Memory,
            Cpus = parsed.GetValue(_cpus) ?? profile.Cpus,
            ArrayLimit = parsed.GetValue(_arrayLimit) ?? profile.ArrayLimit,
            RunsPerTask = parsed.GetValue(_runsPerTask) ?? profile.RunsPerTask,
            Setup = parsed.GetValue(_setup) is { Length: > 0 } setup ? setup : profile.Setup,
            Options = parsed.GetValue(_option) is { Length: > 0 } options ? options : profile.Options,
        };
    }
}
