using System.Net;
using System.Text;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>Rows under heads, as HTML and as text.</summary>
/// <param name="Heads">Names of the columns.</param>
/// <param name="First">First rows.</param>
/// <param name="Last">Last rows, where some between are left out.</param>
/// <param name="Count">Rows in all; null where it is not known.</param>
/// <param name="Keys">Columns on the left that name the row.</param>
sealed record Table(IReadOnlyList<string> Heads, IReadOnlyList<object?[]> First, IReadOnlyList<object?[]> Last, int? Count, int Keys = 0)
{
    /// <summary>Rows of a table that is shown whole; of a longer one so many are shown as <see cref="FirstRows"/> and <see cref="LastRows"/> say.</summary>
    public const int MostRows = FirstRows + LastRows;

    /// <summary>Rows shown of the beginning.</summary>
    public const int FirstRows = 15;

    /// <summary>Rows shown of the end.</summary>
    public const int LastRows = 5;

    const int MostColumns = 30;

    /// <summary>A sentence above it; often empty.</summary>
    public string Title { get; init; } = "";

    string Note
    {
        get
        {
            var rows = Count is null ? $"the first {First.Count} rows" : Count > First.Count + Last.Count ? $"{Count} rows, {First.Count} first and {Last.Count} last" : "";
            var columns = Heads.Count > MostColumns ? $"{MostColumns} of {Heads.Count} columns" : "";
            return string.Join(", ", new[] { rows, columns }.Where(s => s != ""));
        }
    }

    int Columns => Math.Min(Heads.Count, MostColumns);

    /// <summary>Both forms.</summary>
    public MimeBundle Bundle() => MimeBundle.Plain(Text()).With(MimeBundle.HtmlType, Html());

    bool[] Right() => [.. Enumerable.Range(0, Columns).Select(c =>
        First.Concat(Last).Select(row => row[c]).Where(v => v is not null).ToList() is { Count: > 0 } values && values.All(Values.IsNumber))];

    string Html()
    {
        var right = Right();
        string Style(int c) => $" style=\"text-align:{(right[c] ? "right" : "left")}\"";
        string Line(object?[] row) => "<tr>" + string.Concat(Enumerable.Range(0, Columns).Select(c =>
            c < Keys ? $"<th{Style(c)}>{Escaped(Values.Cell(row[c]))}</th>" : $"<td{Style(c)}>{Escaped(Values.Cell(row[c]))}</td>")) + "</tr>\n";
        var text = new StringBuilder();
        if (Title != "") text.Append($"<p>{Escaped(Title)}</p>\n");
        text.Append("<table>\n<thead><tr>").AppendJoin("", Enumerable.Range(0, Columns).Select(c => $"<th{Style(c)}>{Escaped(Heads[c])}</th>")).Append("</tr></thead>\n<tbody>\n");
        text.AppendJoin("", First.Select(Line));
        if (Last.Count > 0) text.Append($"<tr>{string.Concat(Enumerable.Range(0, Columns).Select(c => $"<td{Style(c)}>…</td>"))}</tr>\n");
        text.AppendJoin("", Last.Select(Line)).Append("</tbody>\n</table>");
        if (Note != "") text.Append($"\n<p><small>{Escaped(Note)}</small></p>");
        return text.ToString();
    }

    string Text()
    {
        var right = Right();
        string[] Cells(object?[] row) => [.. row.Take(Columns).Select(Values.Cell)];
        List<string[]> lines = [[.. Heads.Take(Columns)], .. First.Select(Cells)];
        if (Last.Count > 0) lines.AddRange([[.. Enumerable.Repeat("…", Columns)], .. Last.Select(Cells)]);
        var widths = Enumerable.Range(0, Columns).Select(c => lines.Max(line => line[c].Length)).ToArray();
        var text = lines.Select(line => string.Join("  ", line.Select((cell, c) => right[c] ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c]))).TrimEnd());
        return string.Join('\n', (Title == "" ? [] : new[] { Title }).Concat(text).Concat(Note == "" ? [] : [Note]));
    }

    /// <summary>Text that HTML shows as it is.</summary>
    public static string Escaped(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Names and values, a row each; those without a value are left out.</summary>
    public static Table Of(string title, params IEnumerable<(string Name, object? Value)> facts)
    {
        var rows = facts.Where(f => f.Value is not null).Select(f => new object?[] { f.Name, Values.Cell(f.Value) }).ToList();
        return new(["", ""], rows, [], rows.Count, Keys: 1) { Title = title };
    }
}
