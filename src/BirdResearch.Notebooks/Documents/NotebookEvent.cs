using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Documents;

/// <summary>What a listener hears while a notebook is run.</summary>
/// <param name="Number">Number of the cell among those with code, from 1.</param>
/// <param name="Cells">Cells with code in all.</param>
/// <param name="Cell">The cell.</param>
/// <param name="Elapsed">How long it took; null where it begins.</param>
/// <param name="Error">Why it failed; null where it did not.</param>
public sealed record NotebookEvent(int Number, int Cells, NotebookCell Cell, TimeSpan? Elapsed = null, CellError? Error = null);
