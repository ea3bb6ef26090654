namespace BirdResearch.Notebooks.Cells;

/// <summary>The state behind a notebook: variables of both languages, one cell at a time.</summary>
public interface INotebookSession : IDisposable
{
    /// <summary>Language of a cell that names none: <c>csharp</c> or <c>fsharp</c>.</summary>
    string Language { get; }

    /// <summary>Runs a cell. Never throws for what the cell does; not to be called while another cell runs.</summary>
    /// <param name="request">The cell.</param>
    /// <param name="output">Where its streams and displays go; everything is written before this ends.</param>
    /// <param name="cancellation">Interrupts the cell: first it is asked (<see cref="Cell.Interruption"/>), and where its code does not listen its thread is stopped.</param>
    Task<CellReply> Run(CellRequest request, ICellOutput output, CancellationToken cancellation = default);

    /// <summary>
    /// Stops the running cell's thread at once, also where its code listens to <see cref="Cell.Interruption"/>: what a second interrupt does. Nothing where
    /// no cell runs.
    /// </summary>
    void Force();

    /// <summary>What can stand at the cursor.</summary>
    /// <param name="code">The cell.</param>
    /// <param name="cursor">UTF-16 units from its beginning.</param>
    /// <param name="cancellation">Gives up.</param>
    Task<Completions> Complete(string code, int cursor, CancellationToken cancellation = default);

    /// <summary>What stands at the cursor: signature and documentation as plain text and, where there is more to show, Markdown; null where there is nothing to say.</summary>
    Task<MimeBundle?> Inspect(string code, int cursor, CancellationToken cancellation = default);

    /// <summary>Whether a text can be run as it stands.</summary>
    Completeness IsComplete(string code);

    /// <summary>Evaluates an expression in the session's own language, quietly, for Jupyter's <c>user_expressions</c>.</summary>
    CellReply Evaluate(string expression);
}
