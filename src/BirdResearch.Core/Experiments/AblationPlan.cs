using System.Text.Json;
using BirdResearch.Files;

namespace BirdResearch.Experiments;

/// <summary>
/// <c>results/&lt;ablation&gt;/plan.json</c>: the runs of the design that was asked for, over all calls, arms in order. By it a report knows what is
/// missing. Delete it to start a design anew.
/// </summary>
public sealed record AblationPlan
{
    const string FileName = "plan.json";

    /// <summary>Version of this layout.</summary>
    public int Format { get; init; } = 1;

    /// <summary>See <see cref="RunStore.Recipe"/>: runs that an earlier recipe planned are no part of it.</summary>
    public int Recipe { get; init; } = RunStore.Recipe;

    /// <summary>Its runs, in the order in which they were asked for.</summary>
    public IReadOnlyList<PlannedRun> Runs { get; init; } = [];

    /// <summary>The plan in an ablation's folder; an empty one where there is none, or where it is another recipe's.</summary>
    public static AblationPlan Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file)) return new AblationPlan();
        try
        {
            var plan = JsonSerializer.Deserialize<AblationPlan>(File.ReadAllText(file), RunStore.Json) ?? throw new JsonException("the file holds null");
            return plan.Recipe == RunStore.Recipe ? plan : new AblationPlan();
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{file}' is not a plan of this version: {e.Message} Delete it and call 'bird run' again.", e);
        }
    }

    /// <summary>Adds the runs of an ablation's trials, of which those that are planned already keep their place. Several processes may do so at once.</summary>
    /// <param name="store">Where the ablation's folder is.</param>
    /// <param name="runner">Completes the trials.</param>
    /// <param name="ablation">The design that is asked for now.</param>
    /// <param name="asked">The command that asks, such as <c>bird run front-ends --data birds</c>.</param>
    public static AblationPlan Add(RunStore store, TrialRunner runner, Ablation ablation, string asked)
    {
        var asks = ablation.Trials.Select(trial =>
        {
            var whole = runner.Complete(trial);
            var data = runner.Open(trial.Data);
            return new PlannedRun(
                RunStore.NameOf(whole, data), data.Name, whole.Model, whole.FrontEnd, whole.Label, whole.Training.Budget.ToString(), whole.Fold ?? 0, whole.Seed, asked);
        }).ToList();
        var folder = Directory.CreateDirectory(store.AblationFolder(ablation.Name)).FullName;
        using (Alone(folder))
        {
            var before = Read(folder);
            var plan = before with { Runs = [.. before.Runs.Concat(asks).DistinctBy(run => run.Name)] };
            if (plan.Runs.Count == before.Runs.Count) return before;
            WholeFile.Write(Path.Combine(folder, FileName), JsonSerializer.Serialize(plan, RunStore.Json) + "\n");
            return plan;
        }
    }

    /// <summary>Holds the file that only one process can create; one that was left by a process that died is taken away after ten seconds.</summary>
    static FileStream Alone(string folder)
    {
        var file = Path.Combine(folder, FileName + ".lock");
        for (var tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (IOException) when (tries < 600 && File.Exists(file))
            {
                Thread.Sleep(50);
                if (tries % 200 == 199) File.Delete(file);
            }
            catch (IOException) when (tries < 600 && Directory.Exists(folder))
            {
                Thread.Sleep(50); // it went between the two looks
            }
        }
    }
}
