using BirdResearch.Notebooks.Cells;
using FSharp.Compiler.Diagnostics;
using FSharp.Compiler.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Control;
using Microsoft.FSharp.Core;
using static FSharp.Compiler.Interactive.Shell;

namespace BirdResearch.Notebooks.Languages;

/// <summary>F# cells: F# interactive in this process.</summary>
sealed partial class FSharpCells : ICellLanguage
{
    // What F# interactive itself says of the text that it evaluates: informational, or about our generated declarations.
    static readonly int[] Quiet = [3370, 988];

    // Numbers of the parser's errors that may mean that the text is not whole.
    const int Syntax = 10;
    const int Offside = 58;
    const int UnexpectedEnd = 3107;
    const int ExpectingExpression = 3524;

    readonly FsiEvaluationSession _session;
    readonly StringWriter _said = new();
    readonly Traces _traces;

    /// <summary>Starts F# interactive, which takes a second or two.</summary>
    public FSharpCells(Traces traces)
    {
        _traces = traces;
        string[] arguments =
        [
            "fsi", "--noninteractive", "--nologo", "--readline-", "--gui-", "--quiet", "--optimize+", "--debug:portable", "--multiemit+", "--targetprofile:netcore", "--usesdkrefs-",
            // The framework's own it finds itself; named one by one, its List<int> would be no seq<int>.
            .. KnownAssemblies.Paths.Where(path => Path.GetDirectoryName(path) != Path.GetDirectoryName(typeof(object).Assembly.Location)).Select(path => $"-r:{path}"),
        ];
        _session = FsiEvaluationSession.Create(FsiEvaluationSession.GetDefaultConfiguration(), arguments, TextReader.Null, _said, _said, collectible: null, legacyReferenceResolver: null);
        var opening = string.Join("\n", OpenedNamespaces.FSharp.Select(n => $"open {n}").Append($"open type {OpenedNamespaces.Functions}"));
        var (_, said) = _session.EvalInteractionNonThrowing(opening, "Opening", FSharpOption<CancellationToken>.None);
        if (said.FirstOrDefault(d => d.Severity.IsError) is { } error) throw new InvalidOperationException($"F# interactive did not start: {error.Message}");
    }

    /// <inheritdoc/>
    public CellOutcome Run(CellText text, Interruption interruption)
    {
        try
        {
            var (choice, diagnostics) = interruption.Run(() =>
                _session.EvalInteractionNonThrowing(text.Code, text.Name, FSharpOption<CancellationToken>.Some(interruption.Token)));
            _said.GetStringBuilder().Clear();
            // A compilation that is given up calls itself an internal error.
            if (interruption.Asked && diagnostics.Any(d => d.Severity.IsError)) return CellOutcome.Failed(_traces.Interrupted());
            if (diagnostics.Any(d => d.Severity.IsError)) return CellOutcome.Failed(CompilationError(text, diagnostics));
            foreach (var warning in diagnostics.Where(d => d.Severity.IsWarning && !Quiet.Contains(d.ErrorNumber))) Console.Error.WriteLine(Located(text, warning));
            return choice switch
            {
                FSharpChoice<FSharpOption<FsiValue>, Exception>.Choice2Of2 failed => CellOutcome.Failed(_traces.Of(failed.Item, interruption)),
                FSharpChoice<FSharpOption<FsiValue>, Exception>.Choice1Of2 { Item.Value: { } value } when value.ReflectionType != typeof(Unit) => CellOutcome.Of(value.ReflectionValue),
                _ => CellOutcome.Nothing,
            };
        }
        catch (OperationCanceledException e)
        {
            return CellOutcome.Failed(_traces.Of(e, interruption));
        }
    }

    /// <inheritdoc/>
    public void Reference(string path)
    {
        var (_, said) = _session.EvalInteractionNonThrowing($"#r @\"{path}\"", "#r", FSharpOption<CancellationToken>.None);
        if (said.FirstOrDefault(d => d.Severity.IsError) is { } error) throw new InvalidOperationException(error.Message);
    }

    /// <inheritdoc/>
    public IEnumerable<string> Names => _session.GetBoundValues().Select(v => v.Name);

    /// <inheritdoc/>
    public Variable? Find(string name) =>
        _session.TryFindBoundValue(name) is { Value.Value: { } value } ? new Variable(name, value.ReflectionType, value.ReflectionValue) : null;

    /// <inheritdoc/>
    public CellError? Declare(string name, Type type, object? value)
    {
        // A value bound by AddBoundValue has the type System.Int32, which does not unify with int. A declaration does.
        var code = $"let ``{name}`` = global.{typeof(SharedValue).FullName}.Take<{FSharpNames.Of(type)}>({SharedValue.Hand(value)})";
        return Interruption.Unasked(nobody => Run(new CellText("#!share", code), nobody)).Error;
    }

    /// <inheritdoc/>
    public Completeness IsComplete(string code)
    {
        var (options, _) = _session.InteractiveChecker.GetParsingOptionsFromCommandLineArgs(
            ListModule.OfSeq(["cell.fsx"]), ListModule.OfSeq<string>([]), isInteractive: FSharpOption<bool>.Some(true), isEditing: FSharpOption<bool>.None);
        var parsed = FSharpAsync.RunSynchronously(
            _session.InteractiveChecker.ParseFile("cell.fsx", SourceText.ofString(code.TrimEnd().TrimEnd(';')), options, FSharpOption<bool>.Some(false), FSharpOption<string>.None),
            FSharpOption<int>.None, FSharpOption<CancellationToken>.None);
        var errors = parsed.Diagnostics.Where(d => d.Severity.IsError).ToList();
        if (errors.Count == 0) return Completeness.Complete;
        var end = code.TrimEnd().Count(c => c == '\n') + 1;
        return errors.Where(e => e.ErrorNumber != Offside).All(e => MendedByMore(e, end)) ? Completeness.Incomplete : Completeness.Invalid;
    }

    static bool MendedByMore(FSharpDiagnostic error, int lastLine) => error.ErrorNumber switch
    {
        ExpectingExpression or UnexpectedEnd => error.EndLine >= lastLine,
        Syntax => error.EndLine >= lastLine && error.Message.StartsWith("Incomplete structured construct", StringComparison.Ordinal),
        _ => error.Message.StartsWith("Unmatched", StringComparison.Ordinal) || error.Message.Contains("nd of file", StringComparison.Ordinal),   // a bracket; a string or a comment
    };

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)_session).Dispose();

    static CellError CompilationError(CellText text, FSharpDiagnostic[] diagnostics)
    {
        var errors = diagnostics.Where(d => d.Severity.IsError).ToList();
        var lines = text.Code.ReplaceLineEndings("\n").Split('\n');
        return new CellError("CompilationError", Message(errors[0]), [.. errors.SelectMany(e => new[] { Located(text, e), LineOf(lines, e) }).Where(l => l.Length > 0)]);
    }

    static string Message(FSharpDiagnostic diagnostic) => $"{diagnostic.ErrorNumberText}: {diagnostic.Message}";

    static string Located(CellText text, FSharpDiagnostic diagnostic)
    {
        var kind = diagnostic.Severity.IsWarning ? "warning " : "";
        return $"{text.Name}, line {diagnostic.StartLine}, column {diagnostic.StartColumn + 1}: {kind}{Message(diagnostic)}";
    }

    static string LineOf(string[] lines, FSharpDiagnostic diagnostic) =>
        diagnostic.StartLine >= 1 && diagnostic.StartLine <= lines.Length ? "    " + lines[diagnostic.StartLine - 1].Trim() : "";
}
