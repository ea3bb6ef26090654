using System.Text.Json;
using BirdResearch.Experiments;
using BirdResearch.Files;

namespace BirdResearch.Cli.Workers;

/// <summary>What the workers of one call do together, as a file that each of them reads.</summary>
/// <param name="Ablation">The trials.</param>
/// <param name="Session">Names the call: its workers do not try again what one of them found to fail.</param>
/// <param name="RunsPerTask">Trials of each task, where tasks are counted.</param>
public sealed record WorkPlan(Ablation Ablation, string Session, int RunsPerTask = 1)
{
    /// <summary>Names of the trials' runs, where the plan is looked up by them.</summary>
    public IReadOnlyList<string> Runs { get; init; } = [];

    /// <summary>Files of the arms of one's own among the trials.</summary>
    public IReadOnlyList<string> Arms { get; init; } = [];

    /// <summary>Tasks that the trials make.</summary>
    public int Tasks => (Ablation.Trials.Count + RunsPerTask - 1) / RunsPerTask;

    /// <summary>The trials of a task, counted from 0.</summary>
    public IReadOnlyList<Trial> TrialsOf(int task) => task >= 0 && task < Tasks
        ? [.. Ablation.Trials.Skip(task * RunsPerTask).Take(RunsPerTask)]
        : throw new ArgumentException($"--task is {task}; the plan has tasks 0 to {Tasks - 1}.");

    /// <summary>Names of the runs of a task; none for a task that there is not.</summary>
    public IEnumerable<string> RunsOf(int task) => Runs.Skip(task * RunsPerTask).Take(RunsPerTask);

    /// <summary>Registers the arms, and throws where a file is not what it was when the plan was made.</summary>
    public void LoadArms()
    {
        var digests = Arms.Select(file => ArmFile.Load(file).Digest).ToHashSet();
        if (Ablation.Trials.Select(t => t.Code).FirstOrDefault(code => code.Length > 0 && !digests.Contains(code)) is { } changed)
            throw new InvalidDataException($"The plan was made with '{changed}', which has been changed since ({string.Join(", ", Arms)}). Call 'bird run' again.");
    }

    /// <summary>Writes it, whole or not at all.</summary>
    public void Write(string file) => WholeFile.Write(file, JsonSerializer.Serialize(this, RunStore.Json) + "\n");

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static WorkPlan Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<WorkPlan>(File.ReadAllText(file), RunStore.Json) ?? throw new JsonException("the file holds null");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{file}' is not a plan of this version of bird: {e.Message} Call 'bird run' again to have one made.", e);
        }
    }
}
