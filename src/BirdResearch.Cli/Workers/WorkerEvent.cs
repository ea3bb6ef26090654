using System.Text.Json;
using BirdResearch.Experiments;
using BirdResearch.Training;

namespace BirdResearch.Cli.Workers;

/// <summary>What a worker tells of a trial, as one line of its standard output.</summary>
/// <param name="Trial">Place of the trial in the plan.</param>
/// <param name="Run">Name of the run.</param>
/// <param name="Phase">What happens.</param>
/// <param name="Training">How far the training is.</param>
/// <param name="Note">A sentence for the reader.</param>
sealed record WorkerEvent(int Trial, string Run, RunPhase Phase, TrainingProgress? Training, string? Note)
{
    const string Start = "bird-event ";

    static readonly JsonSerializerOptions _json = new(RunStore.Json) { WriteIndented = false };

    public string ToLine() => Start + JsonSerializer.Serialize(this, _json);

    /// <summary>The event of a line, or null for a line that is none.</summary>
    public static WorkerEvent? Of(string line) =>
        line.StartsWith(Start, StringComparison.Ordinal) ? JsonSerializer.Deserialize<WorkerEvent>(line.AsSpan(Start.Length), _json) : null;

    /// <summary>A listener that writes the events of a trial to standard output.</summary>
    public static IProgress<RunEvent> Teller(int trial) => new Lines(trial);

    sealed class Lines(int trial) : IProgress<RunEvent>
    {
        public void Report(RunEvent value)
        {
            Console.Out.WriteLine(new WorkerEvent(trial, value.Run, value.Phase, value.Training, value.Note).ToLine());
            Console.Out.Flush();
        }
    }
}
