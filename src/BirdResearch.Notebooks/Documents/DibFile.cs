using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using BirdResearch.Notebooks.Languages;

namespace BirdResearch.Notebooks.Documents;

/// <summary>Polyglot Notebooks' plain text: cells opened by <c>#!csharp</c>, <c>#!fsharp</c>, <c>#!markdown</c>; read only.</summary>
public static class DibFile
{
    static readonly string[] Foreign = ["#!pwsh", "#!powershell", "#!javascript", "#!js", "#!html", "#!sql", "#!kql", "#!mermaid", "#!value", "#!http"];

    /// <summary>Reads a file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="path">Where it is from, for messages.</param>
    public static Notebook Read(string text, string path)
    {
        var parts = Parts(text.ReplaceLineEndings("\n"), path).ToList();
        var fallback = "csharp";
        if (parts.FirstOrDefault(p => p.Language == "meta").Text is { } meta) fallback = DefaultOf(meta, path);
        var cells = parts.Where(p => p.Language != "meta").Select(p => (Language: p.Language == "" ? fallback : p.Language, Text: p.Text.Trim('\n'))).Where(p => p.Text.Trim() != "");
        return new Notebook(cells.Select(p => p.Language == "markdown"
            ? new NotebookCell("markdown", p.Text)
            : new NotebookCell("code", p.Text) { Metadata = new JsonObject { ["polyglot_notebook"] = new JsonObject { ["kernelName"] = p.Language } } }))
        {
            Metadata = new JsonObject { ["polyglot_notebook"] = new JsonObject { ["kernelInfo"] = new JsonObject { ["defaultKernelName"] = fallback } } },
        };
    }

    static IEnumerable<(string Language, string Text)> Parts(string text, string path)
    {
        var (language, own, number) = ("", new StringBuilder(), 0);
        foreach (var line in text.Split('\n'))
        {
            number++;
            var opening = line.TrimEnd();
            if (Foreign.Contains(opening))
                throw new InvalidDataException($"'{path}' opens a cell in line {number} by '{opening}'; only #!csharp, #!fsharp and #!markdown can be run.");
            if (Opened(opening) is not { } next)
            {
                own.Append(line).Append('\n');
                continue;
            }
            yield return (language, own.ToString());
            (language, own) = (next, new StringBuilder());
        }
        yield return (language, own.ToString());
    }

    static string? Opened(string line) => line == "#!meta" ? "meta" : CellPart.Switch(line) is { Known: true } cell ? cell.Name ?? "markdown" : null;

    static string DefaultOf(string meta, string path)
    {
        try
        {
            return (JsonNode.Parse(meta)?["kernelInfo"] as JsonObject)?["defaultKernelName"]?.ToString() is "fsharp" ? "fsharp" : "csharp";
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' has a '#!meta' cell that is no JSON: {e.Message}", e);
        }
    }
}
