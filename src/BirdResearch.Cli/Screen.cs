using Spectre.Console;
using Spectre.Console.Rendering;

namespace BirdResearch.Cli;

/// <summary>What goes to the terminal. Not on a terminal: plain lines, no colours, no cursor movement.</summary>
public static class Screen
{
    static readonly IAnsiConsole Errors =
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Whether a person is watching.</summary>
    public static bool IsLive => !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Interactive;

    /// <summary>A line of plain text.</summary>
    public static void Line(string text = "") => Console.Out.WriteLine(text);

    /// <summary>A heading.</summary>
    public static void Title(string text)
    {
        if (IsLive) AnsiConsole.Write(new Rule($"[bold]{Markup.Escape(text)}[/]") { Justification = Justify.Left });
        else Line($"== {text}");
    }

    /// <summary>A warning on standard error.</summary>
    public static void Warn(string text) => ToErrors(text, "yellow");

    /// <summary>An error on standard error.</summary>
    public static void Error(string text) => ToErrors($"bird: {text}", "red");

    static void ToErrors(string text, string colour)
    {
        if (Console.IsErrorRedirected) Console.Error.WriteLine(text); // one line, unwrapped, for logs and pipes
        else Errors.MarkupLine($"[{colour}]{Markup.Escape(text)}[/]");
    }

    /// <summary>A table; numbers (columns whose name ends in <c>&gt;</c>) are right-aligned, rows for which <paramref name="isFaint"/> holds are grey.</summary>
    public static void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows, Func<int, bool>? isFaint = null)
    {
        if (!IsLive)
        {
            PlainTable([.. columns.Select(c => c.TrimEnd('>'))], [.. columns.Select(c => c.EndsWith('>'))], [.. rows]);
            return;
        }
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var column in columns)
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(column.TrimEnd('>'))}[/]") { Alignment = column.EndsWith('>') ? Justify.Right : Justify.Left });
        foreach (var (index, row) in rows.Index())
            table.AddRow(row.Select(cell => (IRenderable)new Text(cell, isFaint?.Invoke(index) == true ? new Style(Color.Grey) : Style.Plain)));
        AnsiConsole.Write(table);
    }

    static void PlainTable(string[] columns, bool[] right, IReadOnlyList<string>[] rows)
    {
        var widths = columns.Select((c, i) => rows.Select(r => r[i].Length).Append(c.Length).Max()).ToArray();
        string Format(IReadOnlyList<string> cells) =>
            string.Join("  ", cells.Select((c, i) => right[i] ? c.PadLeft(widths[i]) : c.PadRight(widths[i]))).TrimEnd();
        Line(Format(columns));
        Line(string.Join("  ", widths.Select(w => new string('-', w))));
        foreach (var row in rows) Line(Format(row));
    }
}
