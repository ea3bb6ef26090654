using System.Globalization;

namespace BirdResearch.Data;

/// <summary>One row of a <see cref="CsvTable"/>.</summary>
public sealed class CsvRow
{
    readonly CsvTable _table;
    readonly string[] _cells;

    internal CsvRow(CsvTable table, int number, string[] cells) => (_table, Number, _cells) = (table, number, cells);

    /// <summary>Row in the file, the header being row 1.</summary>
    public int Number { get; }

    /// <summary>The cell, without space around it; empty where the file lacks the column.</summary>
    public string this[string column] => _table.IndexOf(column) is >= 0 and var at ? _cells[at].Trim() : "";

    /// <summary>The cell, or null where it is empty or the file lacks the column.</summary>
    public string? OrNull(string column) => this[column] is { Length: > 0 } text ? text : null;

    /// <summary>The cell, which must not be empty.</summary>
    public string Text(string column) => OrNull(column) ?? throw Wrong(column, "is empty");

    /// <summary>The cell as a whole number; null where it is empty.</summary>
    public int? Integer(string column) => OrNull(column) is not { } text ? null
        : int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value
        : throw Wrong(column, $"is '{Short(text)}'; expected a whole number");

    /// <summary>The cell as a finite number; null where it is empty.</summary>
    public double? Number64(string column) => OrNull(column) is not { } text ? null
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value
        : throw Wrong(column, $"is '{Short(text)}'; expected a number");

    /// <summary>The cell as a list of strings in Python's notation; an empty cell is an empty list.</summary>
    public IReadOnlyList<string> Strings(string column)
    {
        if (OrNull(column) is not { } text) return [];
        try
        {
            return PythonList.Parse(text);
        }
        catch (FormatException e)
        {
            throw Wrong(column, $"is no list of strings: {e.Message}");
        }
    }

    /// <summary>The cell as a path that stays inside the data set's folder, in plain form.</summary>
    public string RelativePath(string column)
    {
        try
        {
            return SafePath.Plain(Text(column));
        }
        catch (InvalidDataException e) when (OrNull(column) is not null)
        {
            throw Wrong(column, $"cannot be used. {e.Message.TrimEnd('.')}");
        }
    }

    /// <summary>An error about this row's cell in <paramref name="column"/>.</summary>
    public InvalidDataException Wrong(string column, string what) => new($"{_table.Name}, row {Number}: {column} {what}.");

    static string Short(string text) => text.Length <= 80 ? text : text[..80] + "...";
}
