namespace BirdResearch.Notebooks.Languages;

/// <summary>A stretch of a cell: code of one language, or one magic.</summary>
/// <param name="Language">The language of the code, or that in force where the magic stands; null for text that is not run.</param>
/// <param name="Code">Code, with empty lines for all that stands above it in the cell; null for a magic.</param>
/// <param name="Magic">The magic's name with its sign, such as <c>#!share</c> or <c>#r</c>; null for code.</param>
/// <param name="Arguments">What stands behind the name.</param>
/// <param name="Line">Its first line in the cell, from 1.</param>
sealed record CellPart(string? Language, string? Code, string? Magic, string Arguments, int Line)
{
    /// <summary>Splits a cell. Magics are lines that begin with <c>#!</c>, <c>#r</c> or <c>#i</c>.</summary>
    public static IReadOnlyList<CellPart> Of(string code, string language)
    {
        var parts = new List<CellPart>();
        var (current, first, gathered) = ((string?)language, 1, new List<string>());
        var lines = code.ReplaceLineEndings("\n").Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            if (NameOf(lines[i]) is not { } magic)
            {
                gathered.Add(lines[i]);
                continue;
            }
            Flush();
            first = i + 2;
            var name = magic.ToLowerInvariant();
            if (Switch(name) is { Known: true } other) current = other.Name;
            else parts.Add(new CellPart(current, null, name, lines[i].Trim()[magic.Length..].Trim(), i + 1));
        }
        Flush();
        return parts;

        void Flush()
        {
            if (current is not null && gathered.Exists(l => l.Trim().Length > 0))
                parts.Add(new CellPart(current, new string('\n', first - 1) + string.Join('\n', gathered), null, "", first));
            gathered.Clear();
        }
    }

    /// <summary>The magic that a line begins with; null where it is code.</summary>
    public static string? NameOf(string line)
    {
        var text = line.TrimStart();
        if (text.StartsWith("#!", StringComparison.Ordinal)) return text.Split([' ', '\t', '\r'], 2)[0];
        var directive = text.Length > 2 && text[0] == '#' && text[1] is 'r' or 'i' && text[2] is ' ' or '\t' or '"' && text.Contains('"');
        return directive ? text[..2] : null;
    }

    /// <summary>The language in force behind some lines; null where text is not run.</summary>
    public static string? Switched(IEnumerable<string> lines, string language) =>
        lines.Select(NameOf).OfType<string>().Select(m => Switch(m.ToLowerInvariant())).Where(s => s.Known).Select(s => s.Name).LastOrDefault(language);

    /// <summary>The language that a magic changes to, null for text that is not run; not known where it is another magic.</summary>
    public static (bool Known, string? Name) Switch(string magic) => magic switch
    {
        "#!csharp" or "#!c#" or "#!cs" => (true, NotebookSession.CSharp),
        "#!fsharp" or "#!f#" or "#!fs" => (true, NotebookSession.FSharp),
        "#!markdown" or "#!md" => (true, null),
        _ => default,
    };
}
