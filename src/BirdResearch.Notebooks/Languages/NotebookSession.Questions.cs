using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

public sealed partial class NotebookSession
{
    static readonly string[] OfLanguages = ["--from csharp", "--from fsharp"];

    /// <inheritdoc/>
    public async Task<Completions> Complete(string code, int cursor, CancellationToken cancellation = default)
    {
        cursor = Math.Clamp(cursor, 0, code.Length);
        var start = code.LastIndexOf('\n', Math.Max(0, cursor - 1), cursor) + 1;
        if (code[start..cursor].TrimStart().StartsWith('#')) return OfMagic(code, start, cursor);
        if (At(code, cursor) is not { } part) return new Completions(cursor, cursor, []);
        var found = await Of(part.Language!).Complete(part.Code!, part.Cursor, cancellation).ConfigureAwait(false);
        var shift = cursor - part.Cursor;
        return found with { Start = found.Start + shift, End = found.End + shift };
    }

    /// <inheritdoc/>
    public async Task<MimeBundle?> Inspect(string code, int cursor, CancellationToken cancellation = default)
    {
        cursor = Math.Clamp(cursor, 0, code.Length);
        var start = code.LastIndexOf('\n', Math.Max(0, cursor - 1), cursor) + 1;
        if (CellPart.NameOf(code[start..].Split('\n')[0]) is { } name)
            return Magics.All.FirstOrDefault(m => m.Name == name) is { Does: { } does } ? MimeBundle.Plain($"{name}: {does}") : null;
        return At(code, cursor) is { } part ? await Of(part.Language!).Inspect(part.Code!, part.Cursor, cancellation).ConfigureAwait(false) : null;
    }

    /// <inheritdoc/>
    public Completeness IsComplete(string code)
    {
        var parts = CellPart.Of(code, Language).Where(p => p.Code is not null).ToList();
        if (parts.Count == 0) return Completeness.Complete;
        var answers = parts.Select(p => Of(p.Language!).IsComplete(p.Code!)).ToList();
        return answers.Contains(Completeness.Invalid) ? Completeness.Invalid : answers[^1];
    }

    // Code of the part that the cursor stands in, up to the next magic, and the cursor in it.
    (string? Language, string? Code, int Cursor)? At(string code, int cursor)
    {
        var lines = code.Split('\n');
        var line = code[..cursor].Count(c => c == '\n');
        var (first, last) = (line, line);
        while (first > 0 && CellPart.NameOf(lines[first - 1]) is null) first--;
        while (last + 1 < lines.Length && CellPart.NameOf(lines[last + 1]) is null) last++;
        var language = CellPart.Switched(lines.Take(first), Language);
        if (language is null) return null;
        var before = lines.Take(first).Sum(l => l.Length + 1);
        return (language, string.Join('\n', lines[first..(last + 1)]), cursor - before);
    }

    Completions OfMagic(string code, int start, int cursor)
    {
        var line = code[start..cursor];
        var word = line[(line.LastIndexOfAny([' ', '\t']) + 1)..];
        var begin = cursor - word.Length;
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        IEnumerable<Completion> found = begin == start + (line.Length - line.TrimStart().Length)
            ? Magics.All.Select(m => new Completion(m.Name, "magic", m.Does))
            : words[0] != "#!share" ? []
            : words is [_, "--from", var from, ..] && _languages.TryGetValue(from, out var language) && language.IsValueCreated
                ? language.Value.Names.Select(n => new Completion(n, "instance"))
                : OfLanguages.Select(o => new Completion(o, "magic"));
        return new Completions(begin, cursor, [.. found.Where(c => c.Text.StartsWith(word, StringComparison.OrdinalIgnoreCase))]);
    }
}
