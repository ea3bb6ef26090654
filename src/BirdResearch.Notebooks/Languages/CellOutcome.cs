using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>How a part of a cell ended.</summary>
/// <param name="HasValue">Whether its last expression has a value, which may be null.</param>
/// <param name="Value">That value.</param>
/// <param name="Error">Why it failed.</param>
readonly record struct CellOutcome(bool HasValue, object? Value, CellError? Error)
{
    public static CellOutcome Nothing => default;

    public static CellOutcome Of(object? value) => new(true, value, null);

    public static CellOutcome Failed(CellError error) => new(false, null, error);
}
