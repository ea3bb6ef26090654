namespace BirdResearch.Notebooks.Cells;

/// <summary>Why a cell failed, as a reader of the notebook understands it.</summary>
/// <param name="Name">The exception's type without its namespace, <c>CompilationError</c>, or <c>Interrupted</c>.</param>
/// <param name="Message">The exception's message, or the first diagnostic's.</param>
/// <param name="Trace">Lines that point into the cell (<c>Cell 3, line 2: the text of the line</c>), without the engine's own frames.</param>
public sealed record CellError(string Name, string Message, IReadOnlyList<string> Trace)
{
    /// <summary>Name of the error of a cell that was stopped.</summary>
    public const string Interrupted = "Interrupted";
}
