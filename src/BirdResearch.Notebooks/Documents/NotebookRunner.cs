using System.Diagnostics;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Documents;

/// <summary>Runs notebooks without a front-end.</summary>
/// <param name="open">Opens a session in a language, <c>csharp</c> or <c>fsharp</c>.</param>
public sealed class NotebookRunner(Func<string, INotebookSession> open)
{
    /// <summary>Name of the error of a cell that ran longer than it may.</summary>
    public const string TimedOut = "Timeout";

    /// <summary>How long a cell may run; null for as long as it takes.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Hears what cells write to the streams: name and text.</summary>
    public Action<string, string>? Heard { get; init; }

    /// <summary>
    /// Runs a notebook's cells in order, with fresh outputs and counts from 1, until one fails. The copy is written beside its place after each cell; it gets
    /// its name when every cell was run, or where its place is free.
    /// </summary>
    /// <param name="notebook">The notebook; it is changed into the copy.</param>
    /// <param name="path">Where the copy goes; null for nowhere.</param>
    /// <param name="listener">Hears of each cell, before and after.</param>
    /// <param name="cancellation">Interrupts the cell that runs, and ends the run.</param>
    /// <param name="finished">Changes the whole copy before it gets its name, such as to add pictures.</param>
    public async Task<NotebookRun> Run(
        Notebook notebook, string? path = null, IProgress<NotebookEvent>? listener = null, Action<Notebook>? finished = null, CancellationToken cancellation = default)
    {
        foreach (var cell in notebook.Cells) (cell.Count, cell.Outputs) = (null, []);
        var cells = notebook.Cells.Where(c => c.IsCode && !string.IsNullOrWhiteSpace(c.Source)).ToList();
        var beside = path is null ? null : Path.ChangeExtension(path, null) + ".partial.ipynb";
        var outputs = new CellOutputs(Heard);
        using var session = open(notebook.Language);
        for (var i = 0; i < cells.Count; i++)
        {
            var error = await RunCell(session, cells[i], i + 1, cells.Count, outputs, listener, cancellation);
            if (beside is not null) notebook.Write(beside);
            if (error is not null) return new NotebookRun(notebook, Kept(beside, path), i + 1, error);
        }
        finished?.Invoke(notebook);
        if (path is null) return new NotebookRun(notebook, null);
        notebook.Write(beside!);
        File.Move(beside!, path, overwrite: true);
        return new NotebookRun(notebook, path);
    }

    async Task<CellError?> RunCell(
        INotebookSession session, NotebookCell cell, int number, int count, CellOutputs outputs, IProgress<NotebookEvent>? listener, CancellationToken cancellation)
    {
        listener?.Report(new NotebookEvent(number, count, cell));
        var watch = Stopwatch.StartNew();
        outputs.Begin();
        var error = await Outcome(session, cell, number, outputs, cancellation);
        if (error is not null) outputs.Error(error);
        (cell.Count, cell.Outputs) = (number, outputs.Taken());
        listener?.Report(new NotebookEvent(number, count, cell, watch.Elapsed, error));
        return error;
    }

    async Task<CellError?> Outcome(INotebookSession session, NotebookCell cell, int number, CellOutputs outputs, CancellationToken cancellation)
    {
        if (cell.Language is not (null or "csharp" or "fsharp"))
            return new CellError("UnknownLanguage", $"The cell is in '{cell.Language}'; only csharp and fsharp can be run.", []);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (Timeout is { } limit) timeout.CancelAfter(limit);
        var reply = await session.Run(new CellRequest(cell.Source, cell.Language, number), outputs, timeout.Token);
        if (reply.Value is { } value) outputs.Value(value, number);
        if (reply.Error is { Name: CellError.Interrupted } && !cancellation.IsCancellationRequested && timeout.IsCancellationRequested)
            return new CellError(TimedOut, $"The cell ran longer than {Timeout!.Value.TotalSeconds:0.#} s.", reply.Error.Trace);
        return reply.Error;
    }

    /// <summary>Where the copy of a run that failed stays: at its place, unless something is there.</summary>
    static string? Kept(string? beside, string? path)
    {
        if (beside is null || path is null || File.Exists(path)) return beside;
        File.Move(beside, path);
        return path;
    }
}
