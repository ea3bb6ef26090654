using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>Turns exceptions into what a notebook shows: lines of cells with their text, frames of libraries, nothing of the engines.</summary>
sealed class Traces
{
    static readonly string[] Hidden = ["System.", "Internal.", "Microsoft.FSharp.", "Microsoft.CodeAnalysis.", "FSharp.Compiler.", "BirdResearch.Notebooks.Languages."];

    readonly ConcurrentDictionary<string, string[]> _lines = [];

    /// <summary>Keeps a cell's lines to quote them.</summary>
    public void Remember(string name, string code) => _lines[name] = code.ReplaceLineEndings("\n").Split('\n');

    /// <summary>The error of a cell that was stopped.</summary>
    public CellError Interrupted(IReadOnlyList<string>? trace = null) => new(CellError.Interrupted, "The cell was interrupted.", trace ?? []);

    /// <summary>What is to be said about an exception of a cell.</summary>
    public CellError Of(Exception thrown, Interruption interruption)
    {
        var e = Unwrap(thrown);
        if (interruption.Asked && (e is OperationCanceledException or ThreadInterruptedException or ThreadAbortException)) return Interrupted(Frames(e));
        var trace = Frames(e).ToList();
        for (var inner = e.InnerException; inner is not null; inner = Unwrap(inner).InnerException)
        {
            var cause = Unwrap(inner);
            trace.Add($"caused by {cause.GetType().Name}: {cause.Message}");
            trace.AddRange(Frames(cause));
        }
        return new CellError(e.GetType().Name, e.Message, trace);
    }

    /// <summary>The line of a cell; null where it is not known.</summary>
    public string? Line(string name, int line) =>
        _lines.TryGetValue(name, out var lines) && line >= 1 && line <= lines.Length ? lines[line - 1].Trim() : null;

    static Exception Unwrap(Exception e) => e switch
    {
        AggregateException { InnerExceptions.Count: 1, InnerException: { } inner } => Unwrap(inner),
        TargetInvocationException { InnerException: { } inner } => Unwrap(inner),
        TypeInitializationException { InnerException: { } inner } => Unwrap(inner),
        _ => e,
    };

    List<string> Frames(Exception e)
    {
        var frames = new List<string>();
        foreach (var frame in new StackTrace(e, fNeedFileInfo: true).GetFrames())
        {
            var said = Said(frame);
            if (said is not null && (frames.Count == 0 || frames[^1] != said)) frames.Add(said);
        }
        return frames;
    }

    string? Said(StackFrame frame)
    {
        var line = frame.GetFileLineNumber();
        var file = frame.GetFileName() is { } path ? Path.GetFileName(path) : null;
        if (file is not null && _lines.ContainsKey(file)) return line > 0 ? $"{file}, line {line}: {Line(file, line)}" : null;
        if (frame.GetMethod() is not { DeclaringType: { } type } method) return null;
        var name = type.FullName ?? type.Name;
        if (name.StartsWith("<", StringComparison.Ordinal) || Hidden.Any(h => name.StartsWith(h, StringComparison.Ordinal)) || type.Assembly == typeof(Traces).Assembly) return null;
        if (type.Assembly.IsDynamic || type.Assembly.Location.Length == 0) return null;
        var place = file is null || line == 0 ? "" : $", {file} line {line}";
        return $"at {name.Replace('+', '.')}.{method.Name}{place}";
    }
}
