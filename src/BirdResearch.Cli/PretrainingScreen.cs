using BirdResearch.Experiments;
using BirdResearch.Training;
using Spectre.Console;

namespace BirdResearch.Cli;

/// <summary>Shows a pretraining as it runs: a line per epoch, and above the next one, where a person is watching, a bar.</summary>
public static class PretrainingScreen
{
    /// <summary>Runs it and returns its record.</summary>
    public static PretrainingRecord Run(PretrainingRunner runner, PretrainingTrial trial, CancellationToken cancellation)
    {
        if (!Screen.IsLive) return runner.Run(trial, new Lines(_ => { }), cancellation);
        return AnsiConsole.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new RemainingTimeColumn())
            .Start(context =>
            {
                var task = context.AddTask(Markup.Escape(trial.Model));
                return runner.Run(trial, new Lines(progress =>
                {
                    task.MaxValue = progress.ClipsTotal;
                    task.Value = progress.ClipsDone;
                    task.Description = Markup.Escape($"epoch {progress.Epoch}/{progress.Epochs}, {progress.ClipsPerSecond:0.0} windows/s");
                }), cancellation);
            });
    }

    static string Validation(double? nce, double? mse, double? accuracy) =>
        nce is null ? "" : $"  held out: InfoNCE {nce:0.000}, squared error {mse:0.000}, told apart {accuracy:0.0%}";

    sealed class Lines(Action<PretrainingProgress> show) : IProgress<PretrainingEvent>
    {
        public void Report(PretrainingEvent value)
        {
            if (value.Training is { } progress)
            {
                show(progress);
                if (progress.Finished is { } row)
                    Line($"  epoch {row.Epoch,3}/{progress.Epochs}  InfoNCE {row.Nce:0.000}, squared error {row.Mse:0.000}, told apart {row.MaskedAccuracy:0.0%}" +
                        $"{Validation(row.ValidationNce, row.ValidationMse, row.ValidationMaskedAccuracy)}  {row.ClipsPerSecond:0.0} windows/s");
            }
            else if (value.Phase == RunPhase.Started) Line($"{value.Run} ({value.Note})");
            else if (value is { Phase: RunPhase.ReadBack, Record: { } found })
                Line($"{value.Run} is there:{Validation(found.Validation?.Nce, found.Validation?.Mse, found.Validation?.MaskedAccuracy)}");
        }

        static void Line(string text)
        {
            if (Screen.IsLive) AnsiConsole.MarkupLine(Markup.Escape(text));
            else Screen.Line(text);
        }
    }
}
