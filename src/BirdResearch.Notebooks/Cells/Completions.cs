namespace BirdResearch.Notebooks.Cells;

/// <summary>What can stand at a place in a cell.</summary>
/// <param name="Start">First replaced character, in UTF-16 units from the cell's beginning.</param>
/// <param name="End">One past the last replaced character.</param>
/// <param name="Items">The proposals, best first.</param>
public sealed record Completions(int Start, int End, IReadOnlyList<Completion> Items);
