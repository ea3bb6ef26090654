using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Documents;

/// <summary>How the run of a notebook ended.</summary>
/// <param name="Notebook">The copy, with outputs as far as it was run.</param>
/// <param name="Path">Where the copy lies; null where none was asked for.</param>
/// <param name="FailedCell">Number of the cell that failed among those with code, from 1; 0 where none did.</param>
/// <param name="Error">Why it failed.</param>
public sealed record NotebookRun(Notebook Notebook, string? Path, int FailedCell = 0, CellError? Error = null)
{
    /// <summary>Whether every cell was run.</summary>
    public bool IsWhole => Error is null;
}
