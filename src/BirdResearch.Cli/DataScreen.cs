using BirdResearch.Data;
using BirdResearch.Experiments;
using Spectre.Console;

namespace BirdResearch.Cli;

/// <summary>Shows a data set as it is opened (and, for the synthetic one, made).</summary>
public static class DataScreen
{
    /// <summary>Opens a data set with progress and prints what was found.</summary>
    public static Dataset Open(TrialRunner runner, string name, CancellationToken cancellation)
    {
        Dataset Quietly() => runner.Open(name, Steps(), cancellation);
        var data = !Screen.IsLive ? Quietly() : AnsiConsole.Progress().AutoClear(true).Start(context =>
        {
            var task = context.AddTask($"Opening {Markup.Escape(name)}", autoStart: true);
            return runner.Open(name, new Bar(task), cancellation);
        });
        Show(data);
        return data;
    }

    /// <summary>Prints what a data set holds, and what was left out of it.</summary>
    public static void Show(Dataset data)
    {
        Screen.Line($"{data.Name}: {data.Classes.Count} classes, {data.Focal.Count} recordings, {data.Soundscapes.Count} labelled soundscape windows to test on");
        foreach (var note in data.Notes) Screen.Warn(note);
    }

    /// <summary>A listener that prints a line for every tenth of the files.</summary>
    public static IProgress<(int Done, int Total)> Steps() => new Tenths();

    sealed class Bar(ProgressTask task) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value)
        {
            task.MaxValue = value.Total;
            task.Value = value.Done;
        }
    }

    sealed class Tenths : IProgress<(int Done, int Total)>
    {
        int _tenths;

        public void Report((int Done, int Total) value)
        {
            var tenths = value.Total == 0 ? 10 : value.Done * 10 / value.Total;
            var before = Interlocked.Exchange(ref _tenths, Math.Max(tenths, _tenths));
            if (tenths > before) Screen.Line($"  {value.Done}/{value.Total} files");
        }
    }
}
