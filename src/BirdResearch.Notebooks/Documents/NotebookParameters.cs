using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BirdResearch.Naming;

namespace BirdResearch.Notebooks.Documents;

/// <summary>A notebook's parameters: the values that its cell with the tag <c>parameters</c> gives to names, and others in their place.</summary>
public static partial class NotebookParameters
{
    /// <summary>Names and their values as the cell has them; none where there is no such cell.</summary>
    public static IReadOnlyDictionary<string, string> Of(Notebook notebook)
    {
        var found = new OrderedDictionary<string, string>();
        if (CellOf(notebook, NotebookCell.Parameters) is not { } cell) return found;
        foreach (Match match in Declaration().Matches(cell.Source)) found[match.Groups["name"].Value] = match.Groups["value"].Value.Trim();
        return found;
    }

    /// <summary>Puts a cell with other values behind the one with the parameters, in its language, as papermill does; an earlier such cell goes.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="values"><c>name=value</c> each.</param>
    public static void Inject(Notebook notebook, IReadOnlyList<string> values)
    {
        if (values.Count == 0) return;
        var cell = CellOf(notebook, NotebookCell.Parameters)
            ?? throw new ArgumentException($"The notebook has no cell with the tag '{NotebookCell.Parameters}', so that it takes no '{values[0]}'.");
        var known = Of(notebook);
        var lines = values.Select(v => v.Split('=', 2)).Select(pair => pair is [var name, var value]
            ? Line(name.Trim(), value, known, notebook.IsFSharp(cell))
            : throw new ArgumentException($"'{pair[0]}' is no parameter; write name=value, with a name of: {string.Join(", ", known.Keys)}."));
        notebook.Cells.RemoveAll(c => c.Tags.Contains(NotebookCell.InjectedParameters));
        var metadata = cell.Metadata.DeepClone().AsObject();
        metadata["tags"] = new JsonArray(NotebookCell.InjectedParameters);
        var magic = cell.Source.Split('\n')[0].Trim() is { } first && first.StartsWith("#!", StringComparison.Ordinal) ? first + "\n" : "";
        notebook.Cells.Insert(notebook.Cells.IndexOf(cell) + 1, new NotebookCell("code", magic + "// Parameters\n" + string.Join('\n', lines)) { Metadata = metadata });
    }

    static NotebookCell? CellOf(Notebook notebook, string tag) => notebook.Cells.FirstOrDefault(c => c.IsCode && c.Tags.Contains(tag));

    static string Line(string name, string value, IReadOnlyDictionary<string, string> known, bool isFSharp)
    {
        if (!known.TryGetValue(name, out var before)) throw new ArgumentException(NearNames.Unknown("parameter", name, known.Keys));
        var literal = before is ['"', ..] ? Text(value) : LiteralOf(name, value, before);
        return isFSharp ? $"let {name} = {literal}" : $"var {name} = {literal};";
    }

    /// <summary>The value as a literal: of the kind that the notebook's own value is of, where that is a literal.</summary>
    static string LiteralOf(string name, string value, string before)
    {
        var isBefore = (Logical: before is "true" or "false", Number: Number().IsMatch(before));
        var isNow = (Logical: value is "true" or "false", Number: Number().IsMatch(value));
        if (isBefore.Logical && !isNow.Logical) throw new ArgumentException($"The parameter '{name}' is '{value}'; true or false was expected.");
        if (isBefore.Number && !isNow.Number) throw new ArgumentException($"The parameter '{name}' is '{value}'; a number such as {before} was expected.");
        if (isBefore.Number && before.Contains('.') && int.TryParse(value, CultureInfo.InvariantCulture, out _)) return value + ".0";
        return isNow.Logical || isNow.Number ? value : Text(value);
    }

    static string Text(string value) => "\"" + value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n").Replace("\r", "\\r").Replace("\t", "\\t") + "\"";

    [GeneratedRegex(@"^[ \t]*(?:let(?:[ \t]+mutable)?|[A-Za-z_][\w.<>\[\]?]*)[ \t]+(?<name>[A-Za-z_]\w*)[ \t]*(?::[ \t]*[\w.]+[ \t]*)?=[ \t]*(?<value>""(?:[^""\\\r\n]|\\.)*""|[^;/\r\n]+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$")]
    private static partial Regex Number();
}
