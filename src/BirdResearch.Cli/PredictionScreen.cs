using BirdResearch.Inference.Prediction;
using Spectre.Console;

namespace BirdResearch.Cli;

/// <summary>A prediction on the terminal and in its log.</summary>
/// <param name="log">File that keeps every note, or null.</param>
sealed class PredictionScreen(string? log) : IDisposable
{
    const double SecondsBetweenLines = 30;

    readonly StreamWriter? _log = log is null ? null : new StreamWriter(log) { AutoFlush = true };

    /// <summary>Writes a note on the screen and into the log.</summary>
    public void Note(string text)
    {
        lock (this) _log?.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd HH:mm:ss}Z {text}");
        Screen.Warn(text);
    }

    /// <summary>Runs something that reports progress.</summary>
    public void Run(Action<IProgress<PredictionProgress>> run)
    {
        if (!Screen.IsLive)
        {
            run(new Lines(this));
            return;
        }
        AnsiConsole.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 32 }, new PercentageColumn())
            .Start(context => run(new Bar(this, context.AddTask("Scoring"))));
    }

    /// <inheritdoc/>
    public void Dispose() => _log?.Dispose();

    static string Left(PredictionProgress value) => value.Left is { Seconds: > 0 } left ? $"{TimeText.Of(left)} left" : "";

    sealed class Bar(PredictionScreen screen, ProgressTask task) : IProgress<PredictionProgress>
    {
        public void Report(PredictionProgress value)
        {
            if (value.Note is { } note) screen.Note(note);
            else
            {
                (task.MaxValue, task.Value) = (Math.Max(1, value.Total), value.Done);
                task.Description = Markup.Escape($"{value.Done}/{value.Total} windows  {Left(value)}");
            }
        }
    }

    sealed class Lines(PredictionScreen screen) : IProgress<PredictionProgress>
    {
        long _last = Environment.TickCount64;

        public void Report(PredictionProgress value)
        {
            if (value.Note is { } note) screen.Note(note);
            else if (Environment.TickCount64 - _last is var past && past > SecondsBetweenLines * 1000 && value.Done > 0)
            {
                _last = Environment.TickCount64;
                Screen.Line($"  {value.Done}/{value.Total} windows, {Left(value)}");
            }
        }
    }
}
