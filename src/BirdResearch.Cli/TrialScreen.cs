using BirdResearch.Experiments;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace BirdResearch.Cli;

/// <summary>Shows trials as they run: a bar per trial with clips/s and time left, or a line per epoch where nobody is watching.</summary>
public static class TrialScreen
{
    /// <summary>Shows trials while they are worked on.</summary>
    /// <param name="trials">The trials.</param>
    /// <param name="work">The work: it is given who hears of the trial of an index.</param>
    /// <param name="several">Whether several are trained at once, so that each line must say of which it tells.</param>
    public static T Show<T>(IReadOnlyList<Trial> trials, Func<Func<int, IProgress<RunEvent>>, T> work, bool several = false)
    {
        if (!Screen.IsLive) return work(i => new Lines($"[{i + 1}/{trials.Count}] ", several));

        var notes = new NoteColumn();
        return AnsiConsole.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), notes)
            .Start(context =>
            {
                var tasks = trials.Select(t => context.AddTask(Markup.Escape(RunWords.Label(t)), autoStart: false)).ToArray();
                return work(i => new Bar(tasks[i], notes));
            });
    }

    sealed class Bar(ProgressTask task, NoteColumn notes) : IProgress<RunEvent>
    {
        public void Report(RunEvent value)
        {
            if (!task.IsStarted) task.StartTask();
            if (value.Training is { } t)
            {
                task.MaxValue = t.ClipsTotal;
                task.Value = t.ClipsDone;
                if (t.ClipsPerSecond > 0)
                    notes.Set(task, $"{t.ClipsPerSecond:0.0} clips/s, {RunWords.Left((t.ClipsTotal - t.ClipsDone) / t.ClipsPerSecond)}");
            }
            else if (value is { Phase: RunPhase.Loaded, Note: { } fit }) AnsiConsole.MarkupLine(Markup.Escape($"{value.Run} starts from weights: {fit}"));
            else if (value is { Phase: RunPhase.Noted, Note: { } note }) AnsiConsole.MarkupLine(Markup.Escape(note));
            else if (value is { Phase: RunPhase.Waiting, Note: { } others }) notes.Set(task, others);
            else if (value is { Phase: RunPhase.Failed, Note: { } why }) notes.Set(task, $"failed: {why}");
            else if (value.Phase == RunPhase.Scoring) notes.Set(task, "scoring ...");
            else if (value.Record is { } record)
            {
                notes.Set(task, (value.Phase == RunPhase.ReadBack ? "read back: " : "") + RunWords.Score(record));
                task.Value = task.MaxValue;
                task.StopTask();
            }
        }
    }

    sealed class NoteColumn : ProgressColumn
    {
        readonly System.Collections.Concurrent.ConcurrentDictionary<int, string> _texts = [];

        public void Set(ProgressTask task, string text) => _texts[task.Id] = text;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(_texts.GetValueOrDefault(task.Id, ""), new Style(Color.Grey));
    }

    sealed class Lines(string place, bool several) : IProgress<RunEvent>
    {
        public void Report(RunEvent value)
        {
            var within = several ? place : "  ";
            if (value.Training is { Finished: { } row } t)
                Screen.Line(
                    $"{within}epoch {row.Epoch,3}/{t.Epochs}  loss {row.TrainLoss:0.0000}" +
                    (row.FocalMap is { } map ? $"  focal mAP {map:0.000}" : "") +
                    $"  {t.ClipsPerSecond:0.0} clips/s" + (t.ClipsPerSecond > 0 ? $"  {RunWords.Left((t.ClipsTotal - t.ClipsDone) / t.ClipsPerSecond)}" : ""));
            else if (value.Phase is RunPhase.Started) Screen.Line($"{place}{value.Run}" + (value.Note is null ? "" : $" ({value.Note})"));
            else if (value is { Phase: RunPhase.Loaded, Note: { } note }) Screen.Line($"{within}starts from weights: {note}");
            else if (value is { Phase: RunPhase.Noted, Note: { } trouble }) Screen.Line($"{within}{trouble}");
            else if (value is { Phase: RunPhase.Waiting, Note: { } others }) Screen.Line($"Waiting: {others}");
            else if (value is { Phase: RunPhase.Failed, Note: { } why }) Screen.Warn($"{place}{value.Run} failed: {why}");
            else if (value is { Phase: RunPhase.ReadBack, Record: { } found }) Screen.Line($"{place}{value.Run} is there: {RunWords.Score(found)}");
            else if (value is { Phase: RunPhase.Finished, Record: { } done }) Screen.Line($"{within}{RunWords.Score(done)}");
        }
    }
}
