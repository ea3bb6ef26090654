using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>One language's share of a session: its variables and what it knows about unfinished text.</summary>
interface ICellLanguage : IDisposable
{
    /// <summary>Compiles and runs on the calling thread, which is the session's.</summary>
    CellOutcome Run(CellText text, Interruption interruption);

    /// <summary>A variable by name, as the newest cell left it.</summary>
    Variable? Find(string name);

    /// <summary>Names of all variables.</summary>
    IEnumerable<string> Names { get; }

    /// <summary>Declares a variable of a type that both languages can name.</summary>
    CellError? Declare(string name, Type type, object? value);

    /// <summary>Makes an assembly's types known to the cells that follow.</summary>
    void Reference(string path);

    /// <summary>Whether a text can be run as it stands.</summary>
    Completeness IsComplete(string code);

    /// <summary>What can stand at the cursor.</summary>
    Task<Completions> Complete(string code, int cursor, CancellationToken cancellation);

    /// <summary>What stands at the cursor.</summary>
    Task<MimeBundle?> Inspect(string code, int cursor, CancellationToken cancellation);
}
