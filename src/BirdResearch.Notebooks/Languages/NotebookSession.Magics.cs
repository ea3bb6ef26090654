using System.Diagnostics;
using System.Globalization;
using BirdResearch.Naming;
using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Display;

namespace BirdResearch.Notebooks.Languages;

public sealed partial class NotebookSession
{
    const int DeepestImport = 16;

    readonly List<string> _references = [];
    readonly NuGetPackages _packages = new();
    int _imports;

    /// <summary>How <c>#!import</c> reads a notebook file into its code cells; set by who can read one.</summary>
    public Func<string, IReadOnlyList<CellRequest>>? Notebook { get; set; }

    // The value of all but the last part is shown on the way.
    CellOutcome RunParts(CellText cell, string language, Interruption interruption)
    {
        var last = CellOutcome.Nothing;
        Stopwatch? watch = null;
        foreach (var part in CellPart.Of(cell.Code, language))
        {
            if (part.Magic == "#!time")
            {
                watch = Stopwatch.StartNew();
                continue;
            }
            if (last.HasValue) Show(last.Value, interruption);
            last = part.Code is { } code ? Of(part.Language!).Run(new CellText(cell.Name, code), interruption) : Magic(cell.Name, part, interruption);
            if (last.Error is not null) break;
        }
        if (watch is not null) Cell.Output.Display(MimeBundle.Plain(string.Create(CultureInfo.InvariantCulture, $"Wall time: {Duration(watch.Elapsed)}")));
        return last;
    }

    static void Show(object? value, Interruption interruption) => Cell.Output.Display(interruption.Run(() => Formatters.Of(value)));

    CellOutcome Magic(string cell, CellPart part, Interruption interruption)
    {
        var place = $"{cell}, line {part.Line}";
        try
        {
            return part.Magic switch
            {
                "#!share" => Share(place, part),
                "#!set" => Set(place, part),
                "#!import" => Import(part, interruption),
                "#r" => Reference(part.Arguments, interruption),
                "#i" => Source(part.Arguments),
                _ => CellOutcome.Failed(Magics.Unknown(place, part.Magic!)),
            };
        }
        catch (Exception e) when (e is IOException or InvalidDataException or InvalidOperationException or ArgumentException or BadImageFormatException or UnauthorizedAccessException)
        {
            return CellOutcome.Failed(Magics.Error(place, e.Message));
        }
        catch (OperationCanceledException)
        {
            return CellOutcome.Failed(_traces.Interrupted());
        }
    }

    CellOutcome Share(string place, CellPart part)
    {
        var words = Magics.Words(part.Arguments).ToList();
        var from = Option(words, "--from");
        var name = Option(words, "--as");
        if (from is null || words.Count != 1)
            throw new ArgumentException("#!share wants a language and a variable, as in '#!share --from csharp x' or '#!share --from fsharp x --as y'.");
        return Bring(place, from, words[0], part.Language ?? Language, name ?? words[0]);
    }

    CellOutcome Set(string place, CellPart part)
    {
        var words = Magics.Words(part.Arguments).ToList();
        var name = Option(words, "--name");
        var value = Option(words, "--value");
        if (name is null || value is null || words.Count > 0)
            throw new ArgumentException("#!set wants a name and a value, as in '#!set --name x --value 5' or '#!set --name x --value @fsharp:y'.");
        var to = part.Language ?? Language;
        if (value.StartsWith('@') && value.IndexOf(':') is > 1 and var colon) return Bring(place, value[1..colon], value[(colon + 1)..], to, name);
        return Declared(Of(to).Declare(name, typeof(string), value));
    }

    CellOutcome Bring(string place, string from, string name, string to, string newName)
    {
        if (!_languages.ContainsKey(from)) throw new ArgumentException(NearNames.Unknown("language", from, _languages.Keys));
        var source = Of(from);
        if (source.Find(name) is not { } variable) return CellOutcome.Failed(Magics.Error(place, NearNames.Unknown(from == CSharp ? "C# variable" : "F# variable", name, source.Names)));
        if (SharedTypes.Refusal(variable.Type) is { } refusal) return CellOutcome.Failed(Magics.Error(place, $"{name} cannot be shared: {refusal}."));
        return Declared(Of(to).Declare(newName, variable.Type, variable.Value));
    }

    static CellOutcome Declared(CellError? error) => error is null ? CellOutcome.Nothing : CellOutcome.Failed(error);

    CellOutcome Import(CellPart part, Interruption interruption)
    {
        var path = Path.GetFullPath(Magics.Words(part.Arguments) is [var file] ? file : throw new ArgumentException("#!import wants one file, as in '#!import setup.csx'."));
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file '{path}' to import.");
        if (_imports >= DeepestImport) throw new InvalidOperationException($"'{path}' is imported by a file that it imports itself.");
        _imports++;
        try
        {
            var cells = Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".cs" or ".csx" => [new CellRequest(File.ReadAllText(path), CSharp)],
                ".fs" or ".fsx" => [new CellRequest(File.ReadAllText(path), FSharp)],
                ".ipynb" or ".dib" => (Notebook ?? throw new InvalidOperationException("This session cannot read notebooks."))(path),
                var other => throw new ArgumentException($"#!import cannot read '{other}' files: it reads .cs, .csx, .fs, .fsx, .ipynb and .dib."),
            };
            var last = CellOutcome.Nothing;
            foreach (var (cell, number) in cells.Select((c, i) => (c, i + 1)))
            {
                var name = cells.Count == 1 ? Path.GetFileName(path) : $"{Path.GetFileName(path)} cell {number}";
                _traces.Remember(name, cell.Code);
                last = RunParts(new CellText(name, cell.Code), cell.Language ?? Language, interruption);
                if (last.Error is not null) return last;
            }
            return cells.Count == 1 ? last : CellOutcome.Nothing;
        }
        finally
        {
            _imports--;
        }
    }

    CellOutcome Reference(string arguments, Interruption interruption)
    {
        var what = Magics.Quoted(arguments) ?? throw new ArgumentException("#r wants a file or a package in quotes, as in '#r \"Mine.dll\"' or '#r \"nuget: Humanizer.Core, 2.14.1\"'.");
        var files = what.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase) ? _packages.Add(what["nuget:".Length..], interruption.Token) : [Existing(what)];
        foreach (var file in files.Where(f => !_references.Contains(f)))
        {
            _references.Add(file);
            foreach (var language in _languages.Values.Where(l => l.IsValueCreated)) language.Value.Reference(file);
        }
        return CellOutcome.Nothing;
    }

    CellOutcome Source(string arguments)
    {
        var what = Magics.Quoted(arguments) ?? "";
        if (!what.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase)) throw new ArgumentException("#i wants a package source, as in '#i \"nuget: https://example.org/v3/index.json\"'.");
        _packages.AddSource(what["nuget:".Length..].Trim());
        return CellOutcome.Nothing;
    }

    static string Existing(string path)
    {
        var full = Path.GetFullPath(path);
        return File.Exists(full) ? full : throw new FileNotFoundException($"There is no assembly '{full}'. Name a .dll, relative to {Environment.CurrentDirectory}.");
    }

    static string? Option(List<string> words, string name)
    {
        var at = words.IndexOf(name);
        if (at < 0 || at + 1 >= words.Count) return null;
        var value = words[at + 1];
        words.RemoveRange(at, 2);
        return value;
    }

    static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => $"{time.TotalMilliseconds:0.0} ms",
        < 60 => $"{time.TotalSeconds:0.00} s",
        _ => $"{(int)time.TotalMinutes} min {time.Seconds} s",
    };
}
