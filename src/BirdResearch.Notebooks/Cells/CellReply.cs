namespace BirdResearch.Notebooks.Cells;

/// <summary>How a cell ended.</summary>
/// <param name="Value">The value of its last expression, formatted; null where it has none.</param>
/// <param name="Error">Why it failed; null where it did not.</param>
public sealed record CellReply(MimeBundle? Value = null, CellError? Error = null);
