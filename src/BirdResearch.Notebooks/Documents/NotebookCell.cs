using System.Text.Json.Nodes;

namespace BirdResearch.Notebooks.Documents;

/// <summary>A cell of a notebook's file.</summary>
/// <param name="kind"><c>code</c>, <c>markdown</c> or <c>raw</c>.</param>
/// <param name="source">Its text.</param>
public sealed class NotebookCell(string kind, string source)
{
    /// <summary>Tag of the cell that holds a notebook's parameters, and of the one that holds other values for them.</summary>
    public const string Parameters = "parameters", InjectedParameters = "injected-parameters";

    /// <summary><c>code</c>, <c>markdown</c> or <c>raw</c>.</summary>
    public string Kind => kind;

    /// <summary>Its text.</summary>
    public string Source => source;

    /// <summary>Its name in the file, since format 4.5; empty where it has none yet.</summary>
    public string Id { get; set; } = "";

    /// <summary>Execution count; null where it was not run.</summary>
    public int? Count { get; set; }

    /// <summary>What it showed, as the file has it.</summary>
    public JsonArray Outputs { get; set; } = [];

    /// <summary>Its metadata, as the file has it.</summary>
    public JsonObject Metadata { get; init; } = [];

    /// <summary>What else the file says of it, such as attachments.</summary>
    public JsonObject Others { get; init; } = [];

    /// <summary>Whether it is code.</summary>
    public bool IsCode => kind == "code";

    /// <summary>Its tags.</summary>
    public IEnumerable<string> Tags => Metadata["tags"] is JsonArray tags ? tags.Select(t => t?.ToString() ?? "") : [];

    /// <summary>
    /// Its language by its own metadata (<c>polyglot_notebook.kernelName</c>, <c>dotnet_interactive.language</c>, <c>vscode.languageId</c>): <c>csharp</c>,
    /// <c>fsharp</c> or another's name; null where it does not say.
    /// </summary>
    public string? Language =>
        Normal(Word("polyglot_notebook", "kernelName") ?? Word("dotnet_interactive", "language") ?? (Word("vscode", "languageId") is { } id and not "polyglot-notebook" ? id : null));

    /// <summary>Languages have several names in files.</summary>
    static string? Normal(string? language) => language?.ToLowerInvariant().Replace("dotnet-interactive.", "", StringComparison.Ordinal) switch
    {
        "c#" or "cs" => "csharp",
        "f#" or "fs" => "fsharp",
        var other => other,
    };

    string? Word(string holder, string name) =>
        Metadata[holder] is JsonObject found && found[name] is JsonValue value && value.TryGetValue<string>(out var word) && word != "" ? word : null;
}
