namespace BirdResearch.Notebooks.Languages;

/// <summary>Code of one language out of a cell. Lines before it in the cell are there as empty lines, so that its line numbers are the cell's.</summary>
/// <param name="Name">What the reader calls it: <c>Cell 3</c>, or an imported file's name.</param>
/// <param name="Code">The text.</param>
sealed record CellText(string Name, string Code)
{
    /// <summary>Name of a cell by its execution count.</summary>
    public static string NameOf(int count) => count > 0 ? $"Cell {count}" : "Cell";
}
