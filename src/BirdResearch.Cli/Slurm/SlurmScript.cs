using System.Globalization;
using System.Text;
using BirdResearch.Cli.Workers;

namespace BirdResearch.Cli.Slurm;

/// <summary>The batch script of an array: each task is one worker on its part of the plan.</summary>
static class SlurmScript
{
    static readonly string[] Passed = ["BIRD_RESULTS", "BIRD_DATA", "BIRD_CACHE", "BIRD_CACHE_GB", "BIRD_LEASE"];

    /// <summary>The script.</summary>
    /// <param name="name">Name of the job.</param>
    /// <param name="plan">Plan file.</param>
    /// <param name="log">Log file without its ending; the task's number is put behind.</param>
    /// <param name="tasks">Number of tasks.</param>
    /// <param name="settings">What each is given.</param>
    public static string Text(string name, string plan, string log, int tasks, SlurmSettings settings)
    {
        settings.Check();
        var script = new StringBuilder("#!/bin/bash\n");
        void Line(string text = "") => script.Append(text).Append('\n');
        void Option(string text) => Line($"#SBATCH {text}");

        Option($"--job-name={name}");
        if (settings.Partition is { } partition) Option($"--partition={partition}");
        if (settings.Account is { } account) Option($"--account={account}");
        Option($"--time={settings.Time}");
        Option($"--mem={settings.Memory}");
        Option("--ntasks=1");
        Option(Invariant($"--cpus-per-task={settings.Cpus}"));
        Option(Invariant($"--array=0-{tasks - 1}") + (settings.ArrayLimit > 0 ? Invariant($"%{settings.ArrayLimit}") : ""));
        Option(Invariant($"--signal=B:TERM@{settings.StopSeconds}"));
        Option("--requeue");
        Option("--open-mode=append");
        Option($"--output=\"{log}.%a.log\"");
        Option($"--error=\"{log}.%a.log\"");
        Option($"--chdir=\"{Environment.CurrentDirectory}\"");
        foreach (var option in settings.Options) Option(option);
        Line();
        foreach (var variable in Passed)
            if (Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value) Line($"export {variable}={Quoted(value)}");
        foreach (var line in settings.Setup) Line(line);
        // The node may have dotnet elsewhere, by a module say.
        Line($"program=({string.Join(' ', OwnProgram.Command.Select(Quoted))})");
        Line("[ -x \"${program[0]}\" ] || program[0]=dotnet");
        Line();
        Line("# Told to stop before the time limit, the worker ends after its step with code 130 and keeps its last whole epoch; the task then");
        Line("# goes back into the queue. A task that was cancelled is not RUNNING any more and stays out of it.");
        Line("trap 'kill -TERM \"$worker\" 2>/dev/null' TERM");
        Line($"\"${{program[@]}}\" work {Quoted(plan)} --task \"$SLURM_ARRAY_TASK_ID\" --threads \"${{SLURM_CPUS_PER_TASK:-1}}\" \\");
        Line("    --worker \"Slurm task ${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID} at ${SLURMD_NODENAME}\" &");
        Line("worker=$!");
        Line("while wait \"$worker\"; code=$?; kill -0 \"$worker\" 2>/dev/null; do :; done");
        Line("if [ \"$code\" = 130 ] && [ \"$(squeue -h -j \"$SLURM_JOB_ID\" -o %T)\" = RUNNING ]; then");
        Line("    echo 'Not done yet; back into the queue.'");
        Line("    scontrol requeue \"$SLURM_JOB_ID\"");
        Line("fi");
        Line("exit \"$code\"");
        return script.ToString();
    }

    static string Quoted(string text) => $"'{text.Replace("'", "'\\''")}'";

    static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
