using BirdResearch.Naming;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>What the magics are called and how their arguments are read.</summary>
static class Magics
{
    /// <summary>Every magic with what it does, for completion and errors.</summary>
    public static IReadOnlyList<(string Name, string Does)> All { get; } =
    [
        ("#!csharp", "the lines below are C#"),
        ("#!fsharp", "the lines below are F#"),
        ("#!markdown", "the lines below are text and are not run"),
        ("#!share", "--from csharp|fsharp NAME [--as NAME]: brings a variable over from the other language"),
        ("#!set", "--name NAME --value TEXT|@csharp:NAME|@fsharp:NAME: sets a variable"),
        ("#!time", "shows how long the cell takes"),
        ("#!import", "FILE: runs a .cs, .csx, .fs, .fsx, .ipynb or .dib file here"),
        ("#r", "\"FILE.dll\" or \"nuget: NAME, VERSION\": references an assembly or a package"),
        ("#i", "\"nuget: SOURCE\": looks for packages there too"),
    ];

    /// <summary>Says that there is no such magic.</summary>
    public static CellError Unknown(string place, string name) =>
        Error(place, NearNames.Unknown("magic", name, All.Select(m => m.Name)));

    /// <summary>A magic that cannot be carried out.</summary>
    public static CellError Error(string place, string message) => new("MagicError", message, [$"{place}: {message}"]);

    /// <summary>Words of a line; a word in quotes keeps its spaces.</summary>
    public static IReadOnlyList<string> Words(string arguments)
    {
        var words = new List<string>();
        var rest = arguments.AsSpan().Trim();
        while (rest.Length > 0)
        {
            var quoted = rest[0] == '"';
            var body = quoted ? rest[1..] : rest;
            var end = quoted ? body.IndexOf('"') : body.IndexOfAny(' ', '\t');
            if (end < 0) end = body.Length;
            words.Add(body[..end].ToString());
            rest = body[Math.Min(body.Length, quoted ? end + 1 : end)..].Trim();
        }
        return words;
    }

    /// <summary>The text between the quotes of <c>#r "..."</c>; null where there are none.</summary>
    public static string? Quoted(string arguments)
    {
        var from = arguments.IndexOf('"') + 1;
        var to = arguments.LastIndexOf('"');
        return from > 0 && to > from ? arguments[from..to].Trim() : null;
    }
}
