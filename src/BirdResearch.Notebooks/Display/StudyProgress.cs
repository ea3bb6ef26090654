using System.Diagnostics;
using System.Globalization;
using BirdResearch.Experiments;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Trials as they are worked on, a line and a bar each, changed in place a few times a second.</summary>
sealed class StudyProgress : IDisposable
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    readonly Lock _lock = new();
    readonly Stopwatch _sinceDrawn = Stopwatch.StartNew();
    readonly Line[] _lines;
    readonly DisplayHandle _shown;
    string _data = "";
    bool _isDrawn = true;

    public StudyProgress(IReadOnlyList<Trial> trials)
    {
        _lines = [.. trials.Select(t => new Line(RunWords.Label(t)))];
        _shown = Show.display(Bundle());
    }

    /// <summary>Hears of the trial of an index.</summary>
    public IProgress<RunEvent> Of(int index) => new Listener<RunEvent>(this, e => _lines[index].Take(e));

    /// <summary>Hears of files of a data set that are made or looked at.</summary>
    public IProgress<(int Done, int Total)> OfData(string data) =>
        new Listener<(int Done, int Total)>(this, e => _data = e.Done < e.Total ? $"{Path.GetFileName(data)}: {e.Done} of {e.Total} files" : "");

    /// <summary>Draws what has not been drawn yet.</summary>
    public void Dispose()
    {
        lock (_lock)
            if (!_isDrawn) Draw();
    }

    void Draw()
    {
        _shown.Update(Bundle());
        _sinceDrawn.Restart();
        _isDrawn = true;
    }

    MimeBundle Bundle()
    {
        var done = _lines.Count(l => l.IsOver);
        var now = _lines.FirstOrDefault(l => !l.IsOver && l.Note != "");
        var state = done == _lines.Length ? "" : now is null ? _data : $"{now.Label}: {now.Note}";
        var text = $"{done} of {_lines.Length} runs are there" + (state == "" ? "" : "; " + state);
        var rows = string.Concat(_lines.Select(l => l.Html()));
        return MimeBundle.Plain(text).With(MimeBundle.HtmlType,
            $"<p><small>{Table.Escaped(text)}</small></p>\n<table>\n<thead><tr><th style=\"text-align:left\">run</th><th></th><th></th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>");
    }

    sealed class Listener<T>(StudyProgress shown, Action<T> take) : IProgress<T>
    {
        public void Report(T value)
        {
            lock (shown._lock)
            {
                take(value);
                shown._isDrawn = false;
                if (shown._sinceDrawn.Elapsed >= Pause) shown.Draw();
            }
        }
    }

    sealed class Line(string label)
    {
        double _share;

        public string Label => label;

        public string Note { get; private set; } = "";

        public bool IsOver { get; private set; }

        public void Take(RunEvent heard)
        {
            if (heard.Training is { } t)
            {
                _share = t.ClipsTotal > 0 ? Math.Clamp((double)t.ClipsDone / t.ClipsTotal, 0, 1) : 0;
                Note = string.Create(CultureInfo.InvariantCulture, $"{100 * _share:0} %")
                    + (t.ClipsPerSecond > 0 ? string.Create(CultureInfo.InvariantCulture, $", {t.ClipsPerSecond:0.0} clips/s, {RunWords.Left((t.ClipsTotal - t.ClipsDone) / t.ClipsPerSecond)}") : "");
            }
            else if (heard.Record is { } record) (Note, _share, IsOver) = (RunWords.Score(record), 1, true);
            else if (heard.Phase == RunPhase.Scoring) Note = "scoring";
            else if (heard.Phase == RunPhase.Failed) (Note, IsOver) = ($"failed: {heard.Note}", true);
            else if (heard.Note is { } note) Note = note;
            else if (heard.Phase == RunPhase.Started) Note = "starting";
        }

        public string Html() => string.Create(CultureInfo.InvariantCulture,
            $"<tr><td style=\"text-align:left\">{Table.Escaped(label)}</td><td><div style=\"width:120px;height:8px;background:#d8dee4\"><div style=\"width:{120 * _share:0}px;height:8px;background:#0072b2\"></div></div></td><td style=\"text-align:left\">{Table.Escaped(Note)}</td></tr>\n");
    }
}
