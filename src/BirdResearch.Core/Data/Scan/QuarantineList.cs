using System.Security.Cryptography;
using System.Text;
using BirdResearch.Files;

namespace BirdResearch.Data;

/// <summary>
/// Files that are left out of a data set, as comma-separated text that a scan writes and a person may edit: <c>file,reason[,detail]</c>, one
/// file a line. Lines that begin with <c>#:</c> are the scan's own; every other comment and line that a person writes survives a scan, and a
/// line that a person removes comes back as <c>keep</c>, never as a finding.
/// </summary>
public sealed class QuarantineList
{
    const string Own = "#:", Seen = "#: seen", Header = "file,reason,detail";
    const int SeenPerLine = 10;

    static readonly string[] _about =
    [
        "#: Files that are left out of training and testing. Written by 'bird scan'; edit it as you like:",
        "#:   to use a file again         change its reason to keep - or remove its line",
        "#:   to leave a file out         add a line: path below the data set's folder and a reason and if you like a detail",
        "#:   to say why                  add comment lines that begin with # before a line",
        "#: A later scan keeps all of that. Lines that begin with #: are its own; the last ones let it see which lines you removed.",
    ];

    readonly Dictionary<string, List<string>> _comments = [];     // above a file's line
    readonly List<string> _closing = [];                          // a person's comments below the last line
    readonly HashSet<string> _seen = [];

    QuarantineList(string path) => Path = path;

    /// <summary>Where it lies.</summary>
    public string Path { get; }

    /// <summary>Its lines in order, those that keep a file included.</summary>
    public IReadOnlyList<QuarantineLine> Lines { get; private init; } = [];

    /// <summary>Where a data set's list is: in its own folder where one is there, else in <c>data/quarantine</c> by the set's name.</summary>
    public static string PathFor(string root, string name)
    {
        var own = System.IO.Path.Combine(root, "quarantine.csv");
        return File.Exists(own) ? own : System.IO.Path.Combine(Folders.Data, "quarantine", name + ".csv");
    }

    /// <summary>Reads a list; an absent one is empty. A line that is wrong is one error that names it.</summary>
    public static QuarantineList Read(string path)
    {
        var lines = new List<QuarantineLine>();
        var list = new QuarantineList(path) { Lines = lines };
        if (!File.Exists(path)) return list;
        var (numbers, above) = (new Dictionary<string, int>(), new List<string>());
        var (number, begun) = (0, false);
        foreach (var raw in Text(path))
        {
            number++;
            var text = raw.TrimEnd();
            if (text.StartsWith("\"#", StringComparison.Ordinal) && Cells(text) is { } cells && cells.Skip(1).All(c => c.Length == 0)) text = cells[0];   // a spreadsheet's
            if (text.StartsWith(Seen, StringComparison.Ordinal)) list._seen.UnionWith(text[Seen.Length..].Split([' ', ','], StringSplitOptions.RemoveEmptyEntries));
            else if (text.StartsWith(Own, StringComparison.Ordinal) || text.Trim(',').Length == 0) continue;
            else if (text.StartsWith('#')) above.Add(text);
            else if (!begun && text.TrimEnd(',') == Header) begun = true;
            else
            {
                begun = true;
                var line = Parse(path, number, text);
                if (!numbers.TryAdd(line.File, number))
                    throw Wrong(path, number, $"'{line.File}' is listed already in line {numbers[line.File]}; keep one of the two");
                lines.Add(line);
                if (above.Count > 0) list._comments[line.File] = [.. above];
                above.Clear();
            }
        }
        list._closing.AddRange(above);
        return list;
    }

    /// <summary>
    /// The list after a scan: what it found, each file once; what a person wrote, as it stands; and <c>keep</c> for what a person removed.
    /// </summary>
    /// <param name="findings">Files to leave out with reasons, each once.</param>
    public QuarantineList With(IEnumerable<QuarantineLine> findings)
    {
        QuarantineLine[] persons = [.. Lines.Where(IsAPersons)];
        var governed = persons.Select(l => l.File).ToHashSet();
        var present = Lines.Select(l => l.File).ToHashSet();
        var lines = new List<QuarantineLine>();
        var next = new QuarantineList(Path) { Lines = lines };
        foreach (var found in findings.OrderBy(l => l.File, StringComparer.Ordinal))
        {
            next._seen.Add(Mark(found));
            next._seen.Add(FindingMark(found));
            if (governed.Contains(found.File)) continue;
            var removed = _seen.Contains(FindingMark(found)) && !present.Contains(found.File);
            lines.Add(removed ? new(found.File, QuarantineLine.Keep, $"its line ({found.Reason}) was removed by hand") : found with { Number = 0 });
        }
        lines.AddRange(persons);
        lines.Sort((a, b) => string.CompareOrdinal(a.File, b.File));
        foreach (var (file, comments) in _comments)
            if (lines.Exists(l => l.File == file)) next._comments[file] = comments;
            else next._closing.AddRange(comments);
        next._closing.AddRange(_closing);
        return next;
    }

    /// <summary>Writes it, beside its place first, and makes a missing folder.</summary>
    public void Write()
    {
        var text = new StringBuilder();
        foreach (var line in _about) text.Append(line).Append('\n');
        text.Append(Header).Append('\n');
        foreach (var line in Lines)
        {
            foreach (var comment in _comments.GetValueOrDefault(line.File) ?? []) text.Append(comment).Append('\n');
            text.Append(line).Append('\n');
        }
        foreach (var comment in _closing) text.Append(comment).Append('\n');
        foreach (var marks in _seen.Order(StringComparer.Ordinal).Chunk(SeenPerLine)) text.Append($"{Seen} {string.Join(' ', marks)}\n");
        WholeFile.Write(Path, text.ToString());
    }

    /// <summary>A line is a person's unless the scan wrote exactly it.</summary>
    bool IsAPersons(QuarantineLine line) => !_seen.Contains(Mark(line));

    static string Mark(QuarantineLine line) => Short($"{line.File}\n{line.Reason}\n{line.Detail}");

    static string FindingMark(QuarantineLine line) => Short($"{line.File}\n{line.Reason}");

    static string Short(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 5));

    static string[] Text(string path)
    {
        try
        {
            return File.ReadAllLines(path, new UTF8Encoding(false, throwOnInvalidBytes: true));
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException($"{path} is not UTF-8 text ({e.Message}); save it as UTF-8, or remove it and scan again.", e);
        }
    }

    static QuarantineLine Parse(string path, int number, string text)
    {
        var cells = Cells(text) ?? throw Wrong(path, number, "a quotation mark is not closed");
        while (cells.Count > 2 && cells[^1].Length == 0) cells.RemoveAt(cells.Count - 1);
        if (cells.Count is < 2 or > 3) throw Wrong(path, number, $"has {cells.Count} cells; expected file,reason or file,reason,detail (a detail with a comma in quotation marks)");
        if (cells[1].Length == 0) throw Wrong(path, number, "has no reason; write one, or keep");
        try
        {
            return new QuarantineLine(SafePath.Plain(cells[0]), cells[1], cells.ElementAtOrDefault(2) ?? "", number);
        }
        catch (InvalidDataException e)
        {
            throw Wrong(path, number, e.Message.TrimEnd('.'));
        }
    }

    static InvalidDataException Wrong(string path, int number, string what) => new($"{path}, line {number}: {what}.");

    static List<string>? Cells(string text)
    {
        var (cells, cell, quoted) = (new List<string>(), new StringBuilder(), false);
        for (var i = 0; i < text.Length; i++)
        {
            if (quoted && text[i] == '"' && i + 1 < text.Length && text[i + 1] == '"') cell.Append(text[i++]);
            else if (text[i] == '"') quoted = !quoted;
            else if (text[i] == ',' && !quoted) Next();
            else cell.Append(text[i]);
        }
        Next();
        return quoted ? null : cells;

        void Next()
        {
            cells.Add(cell.ToString().Trim());
            cell.Clear();
        }
    }
}
