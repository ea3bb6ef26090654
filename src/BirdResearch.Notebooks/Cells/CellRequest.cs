namespace BirdResearch.Notebooks.Cells;

/// <summary>A cell that is to be run.</summary>
/// <param name="Code">Its text, magics included.</param>
/// <param name="Language"><c>csharp</c> or <c>fsharp</c>, where the cell's metadata says so; null takes the session's own.</param>
/// <param name="Count">Execution count: names the cell in traces, as in <c>Cell 3, line 2</c>. 0 where it is not counted.</param>
public sealed record CellRequest(string Code, string? Language = null, int Count = 0);
