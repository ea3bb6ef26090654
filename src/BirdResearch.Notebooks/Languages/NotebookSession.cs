using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Display;

namespace BirdResearch.Notebooks.Languages;

/// <summary>The state behind one notebook: C# and F# cells in this process, one at a time, on one thread.</summary>
public sealed partial class NotebookSession : INotebookSession
{
    /// <summary>Name of C# in cells and magics.</summary>
    public const string CSharp = "csharp";

    /// <summary>Name of F# in cells and magics.</summary>
    public const string FSharp = "fsharp";

    readonly CellThread _thread = new();
    readonly Traces _traces = new();
    readonly Dictionary<string, Lazy<ICellLanguage>> _languages;
    volatile Interruption? _interruption;

    /// <summary>Makes an empty session. The language's engine starts in the background.</summary>
    /// <param name="language"><c>csharp</c> or <c>fsharp</c>: what a cell is written in that names none.</param>
    /// <param name="folder">Where files are looked for, the process's current folder from here on; null leaves that as it is.</param>
    public NotebookSession(string language = CSharp, string? folder = null)
    {
        if (language is not (CSharp or FSharp)) throw new ArgumentException($"A notebook's language is '{CSharp}' or '{FSharp}', not '{language}'.", nameof(language));
        Language = language;
        if (folder is not null) Environment.CurrentDirectory = folder;
        _languages = new()
        {
            [CSharp] = new(() => Knowing(new CSharpCells(_traces))),
            [FSharp] = new(() => Knowing(new FSharpCells(_traces))),
        };
        ConsoleRouting.Install();
        _thread.Run(() => Interruption.Unasked(nobody => Of(language).Run(new CellText("Warm-up", "1"), _interruption = nobody)));
    }

    /// <inheritdoc/>
    public string Language { get; }

    /// <inheritdoc/>
    public Task<CellReply> Run(CellRequest request, ICellOutput output, CancellationToken cancellation = default) =>
        _thread.Run(() =>
        {
            ConsoleRouting.Install();
            using var batched = new BatchedOutput(output);
            using var running = Cell.Enter(batched, cancellation);
            using var interruption = _interruption = new Interruption(running, cancellation);
            var text = new CellText(CellText.NameOf(request.Count), request.Code);
            _traces.Remember(text.Name, text.Code);
            try
            {
                return Reply(RunParts(text, request.Language ?? Language, interruption), interruption);
            }
            catch (Exception e)
            {
                return new CellReply(Error: _traces.Of(e, interruption));
            }
            finally
            {
                if (interruption.Forced) _thread.Renew();
            }
        });

    /// <inheritdoc/>
    public CellReply Evaluate(string expression) =>
        Run(new CellRequest(expression), Cell.Nowhere.Instance).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public void Force() => _interruption?.Force();

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var language in _languages.Values.Where(l => l.IsValueCreated)) language.Value.Dispose();
        _thread.Dispose();
    }

    ICellLanguage Of(string language) =>
        _languages.TryGetValue(language, out var known) ? known.Value : throw new ArgumentException($"There are C# cells ('{CSharp}') and F# cells ('{FSharp}'), not '{language}'.");

    ICellLanguage Knowing(ICellLanguage language)
    {
        foreach (var file in _references) language.Reference(file);
        return language;
    }

    // Formatting runs the user's code too: an endless sequence, a property that throws.
    CellReply Reply(CellOutcome outcome, Interruption interruption)
    {
        if (outcome.Error is not null) return new CellReply(Error: outcome.Error);
        if (!outcome.HasValue) return new CellReply();
        try
        {
            return new CellReply(interruption.Run(() => Formatters.Of(outcome.Value)));
        }
        catch (Exception e)
        {
            return new CellReply(Error: _traces.Of(e, interruption));
        }
    }
}
