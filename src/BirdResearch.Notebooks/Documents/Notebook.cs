using System.Text.Json.Nodes;
using BirdResearch.Files;
using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Languages;

namespace BirdResearch.Notebooks.Documents;

/// <summary>A notebook as its file holds it.</summary>
/// <param name="cells">Its cells.</param>
public sealed class Notebook(IEnumerable<NotebookCell> cells)
{
    /// <summary>Its cells, in order.</summary>
    public List<NotebookCell> Cells { get; } = [.. cells];

    /// <summary>Its metadata, as the file has it.</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <summary>The text of the first heading; null where there is none.</summary>
    public string? Title => Cells.Where(c => c.Kind == "markdown").SelectMany(c => c.Source.Split('\n')).Select(line => line.Trim())
        .FirstOrDefault(line => line.StartsWith("# ", StringComparison.Ordinal))?[2..].Trim();

    /// <summary>Language of cells that name none: <c>csharp</c> unless the file says F#.</summary>
    public string Language
    {
        get
        {
            var kernel = Metadata["kernelspec"] as JsonObject;
            var polyglot = (Metadata["polyglot_notebook"] as JsonObject)?["kernelInfo"] as JsonObject;
            string?[] told = [polyglot?["defaultKernelName"]?.ToString(), (Metadata["language_info"] as JsonObject)?["name"]?.ToString(), kernel?["language"]?.ToString(), kernel?["name"]?.ToString()];
            var first = told.FirstOrDefault(t => !string.IsNullOrEmpty(t) && t != "polyglot-notebook") ?? "";
            return first.Contains("fsharp", StringComparison.OrdinalIgnoreCase) || first.Contains("F#", StringComparison.OrdinalIgnoreCase) ? "fsharp" : "csharp";
        }
    }

    /// <summary>Whether a cell of code is F#: by the magic in its first line, its own metadata or the notebook's.</summary>
    internal bool IsFSharp(NotebookCell cell)
    {
        var own = cell.Language ?? Language;
        return (CellPart.Switched([cell.Source.Split('\n')[0]], own) ?? own) == "fsharp";
    }

    /// <summary>Opens a notebook by its ending: <c>.ipynb</c> or <c>.dib</c>.</summary>
    public static Notebook Open(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no notebook '{path}'.", path);
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".ipynb" => IpynbFile.Read(File.ReadAllText(path), path),
            ".dib" => DibFile.Read(File.ReadAllText(path), path),
            var other => throw new ArgumentException($"'{path}' ends in '{other}'; a notebook ends in .ipynb or .dib."),
        };
    }

    /// <summary>The code cells of a notebook's file as they are to be run, for <c>#!import</c>.</summary>
    public static IReadOnlyList<CellRequest> RequestsOf(string path)
    {
        var notebook = Open(path);
        return [.. notebook.Cells.Where(c => c.IsCode).Select(c => new CellRequest(c.Source, c.Language ?? notebook.Language))];
    }

    /// <summary>Writes it as <c>.ipynb</c>: first beside, then in the place of what is there, so that nothing is lost where writing ends early.</summary>
    public void Write(string path) => WholeFile.Write(path, IpynbFile.Written(this));
}
