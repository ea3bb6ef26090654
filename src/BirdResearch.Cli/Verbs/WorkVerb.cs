using System.CommandLine;
using BirdResearch.Claims;
using BirdResearch.Cli.Workers;
using BirdResearch.Experiments;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird work PLAN</c>: one worker of a call; started by 'bird run', not by hand.</summary>
public static class WorkVerb
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var plan = new Argument<string>("PLAN") { Description = "What the workers do together, as 'bird run' wrote it" };
        var worker = new Option<string>("--worker") { Description = "What the worker is called", DefaultValueFactory = _ => "" };
        var threads = new Option<int?>("--threads") { Description = "Threads for torch (default: all cores)" };
        var task = new Option<int?>("--task") { Description = "Only the trials of this task of the plan, counted from 0" };
        var events = new Option<bool>("--events") { Description = "Tell what happens in lines for a program, and stop when standard input ends" };
        return new Command("work", "One worker of 'bird run --workers' or of a Slurm array: trains what is missing of a plan. Started by 'bird run'.")
        { plan, worker, threads, task, events }.Hide().Does((p, cancellation) =>
        {
            SetThreads(p.GetValue(threads));
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var isTold = p.GetValue(events);
            if (isTold) StopAtEndOfInput(stop);
            var work = WorkPlan.Read(p.GetRequiredValue(plan));
            work.LoadArms();
            var trials = p.GetValue(task) is { } index ? work.TrialsOf(index) : work.Ablation.Trials;
            var me = ClaimHolder.Here(p.GetValue(worker) ?? "", work.Session);
            var runner = new TrialRunner(RunStore.Open(), me);
            // A task of a cluster does not sit beside a healthy worker, but it outlives a dead one's claim.
            var settings = new WorkerSettings { PatienceSeconds = p.GetValue(task) is null ? double.PositiveInfinity : 3 * me.LeaseSeconds };
            var done = isTold
                ? runner.Work(work.Ablation.Name, trials, settings, WorkerEvent.Teller, stop.Token)
                : TrialScreen.Show(trials, listener => runner.Work(work.Ablation.Name, trials, settings, listener, stop.Token));
            return done.Failures.Count > 0 ? Verb.Failed : 0;
        });
    }

    /// <summary>Sets torch's threads; a number out of range is an error.</summary>
    public static void SetThreads(int? threads)
    {
        if (threads is not { } count) return;
        if (count is < 1 or > 1024) throw new ArgumentException($"--threads is {count}; it must be between 1 and 1024.");
        torch.set_num_threads(count);
    }

    static void StopAtEndOfInput(CancellationTokenSource stop) => new Thread(() =>
    {
        using var input = Console.OpenStandardInput();
        var rest = new byte[256];
        while (input.Read(rest) > 0)
        {
        }
        try
        {
            stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The work was done first.
        }
    })
    { IsBackground = true, Name = "end of input" }.Start();
}
