using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using BirdResearch.Notebooks.Cells;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Emit;
using Microsoft.CodeAnalysis.Text;

namespace BirdResearch.Notebooks.Languages;

/// <summary>
/// C# cells: a chain of Roslyn's script submissions. They are emitted and started here rather than by <c>CSharpScript</c>, because a submission's
/// variables then outlive a cell that throws or is stopped.
/// </summary>
sealed partial class CSharpCells : ICellLanguage
{
    static readonly CSharpParseOptions Parsing = CSharpParseOptions.Default.WithKind(SourceCodeKind.Script).WithLanguageVersion(LanguageVersion.Latest);
    static readonly EmitOptions Emitting = new(debugInformationFormat: DebugInformationFormat.PortablePdb);

    // Hidden or unified references, and null marks outside of a nullable context: true of scripts, and nothing that a reader could mend.
    static readonly string[] Quiet = ["CS1701", "CS1702", "CS8632", "CS1591", "CS8019", "CS8600", "CS8602", "CS8603", "CS8604"];

    readonly AssemblyLoadContext _context = new("Cells");
    readonly List<MetadataReference> _references = [.. KnownAssemblies.References];
    readonly Traces _traces;
    object?[] _submissions = new object?[64];
    CSharpCompilation? _last;
    int _count;

    /// <summary>Makes an empty chain.</summary>
    public CSharpCells(Traces traces) => _traces = traces;

    /// <inheritdoc/>
    public CellOutcome Run(CellText text, Interruption interruption)
    {
        var compilation = Compile(text);
        using var image = new MemoryStream();
        using var symbols = new MemoryStream();
        EmitResult emitted;
        try
        {
            emitted = compilation.Emit(image, symbols, options: Emitting, cancellationToken: interruption.Token);
        }
        catch (OperationCanceledException)
        {
            return CellOutcome.Failed(_traces.Interrupted());
        }
        if (!emitted.Success) return CellOutcome.Failed(CompilationError(emitted.Diagnostics));
        foreach (var warning in emitted.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Warning && !Quiet.Contains(d.Id)))
            Console.Error.WriteLine(Located(warning));
        if (compilation.GetEntryPoint(CancellationToken.None) is not { } entry) return CellOutcome.Nothing;

        image.Position = symbols.Position = 0;
        var assembly = _context.LoadFromStream(image, symbols);
        var start = assembly.GetType(entry.ContainingType.MetadataName)!.GetMethod(entry.MetadataName, BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)!
            .CreateDelegate<Func<object?[], Task<object?>>>();
        if (++_count + 1 >= _submissions.Length) Array.Resize(ref _submissions, _submissions.Length * 2);
        try
        {
            var value = interruption.Run(() => CellContext.Run(() => start(_submissions)));
            return HasValue(compilation) ? CellOutcome.Of(value) : CellOutcome.Nothing;
        }
        catch (Exception e)
        {
            return CellOutcome.Failed(_traces.Of(e, interruption));
        }
        finally
        {
            Keep(compilation, text);
        }
    }

    /// <inheritdoc/>
    public Completeness IsComplete(string code)
    {
        var tree = CSharpSyntaxTree.ParseText(code, Parsing);
        if (!SyntaxFactory.IsCompleteSubmission(tree)) return Completeness.Incomplete;
        return tree.GetDiagnostics().Any(d => d.Severity == DiagnosticSeverity.Error) ? Completeness.Invalid : Completeness.Complete;
    }

    /// <inheritdoc/>
    public void Reference(string path)
    {
        Assembly.LoadFrom(path);
        _references.Add(KnownAssemblies.Metadata(path));
    }

    /// <inheritdoc/>
    public IEnumerable<string> Names => Fields().Select(f => f.Field.Name).Distinct();

    /// <inheritdoc/>
    public Variable? Find(string name) =>
        Fields().Where(f => f.Field.Name == name).Select(f => new Variable(name, f.Field.FieldType, f.Field.GetValue(f.Owner))).FirstOrDefault();

    /// <inheritdoc/>
    public CellError? Declare(string name, Type type, object? value)
    {
        var code = $"var @{name} = global::{typeof(SharedValue).FullName}.Take<{CSharpNames.Of(type)}>({SharedValue.Hand(value)});";
        return Interruption.Unasked(nobody => Run(new CellText("#!share", code), nobody)).Error;
    }

    /// <inheritdoc/>
    public void Dispose() => DisposeCompletion();

    CSharpCompilation Compile(CellText text)
    {
        var source = SourceText.From(text.Code, Encoding.UTF8);
        return CSharpCompilation.CreateScriptCompilation(
            $"Cell-{Guid.NewGuid():N}",
            CSharpSyntaxTree.ParseText(source, Parsing, text.Name),
            _references,
            Options(),
            _last,
            typeof(object));
    }

    static CSharpCompilationOptions Options() => new(
        OutputKind.DynamicallyLinkedLibrary,
        usings: OpenedNamespaces.CSharp,
        optimizationLevel: OptimizationLevel.Release,
        allowUnsafe: true,
        nullableContextOptions: NullableContextOptions.Annotations,
        assemblyIdentityComparer: DesktopAssemblyIdentityComparer.Default,
        sourceReferenceResolver: new SourceFileResolver([], Environment.CurrentDirectory),
        concurrentBuild: true);

    // Also after a cell that threw: what it had assigned by then stays.
    void Keep(CSharpCompilation compilation, CellText text)
    {
        if (_submissions[_count] is null)
        {
            _count--;
            return;
        }
        _last = compilation;
        Remember(text);
    }

    static bool HasValue(CSharpCompilation compilation)
    {
        var tree = compilation.SyntaxTrees[^1];
        if (((CompilationUnitSyntax)tree.GetRoot()).Members.LastOrDefault() is not GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } last })
            return false;
        return compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression).Type is not { SpecialType: SpecialType.System_Void };
    }

    IEnumerable<(object Owner, FieldInfo Field)> Fields() =>
        from index in Enumerable.Range(0, _count + 1).Reverse()
        let owner = _submissions[index]
        where owner is not null
        from field in owner.GetType().GetFields(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        where !field.Name.StartsWith('<')
        select (owner, field);

    CellError CompilationError(IEnumerable<Diagnostic> diagnostics)
    {
        var errors = diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error || d.IsWarningAsError).OrderBy(d => d.Location.SourceSpan.Start).ToList();
        if (errors.Count == 0) return new CellError("CompilationError", "The cell could not be compiled, and the compiler does not say why.", []);
        return new CellError("CompilationError", Message(errors[0]), [.. errors.SelectMany(e => new[] { Located(e), LineOf(e) }).Where(l => l.Length > 0)]);
    }

    static string Message(Diagnostic diagnostic) => $"{diagnostic.Id}: {diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture)}";

    static string Located(Diagnostic diagnostic)
    {
        if (!diagnostic.Location.IsInSource) return Message(diagnostic);
        var place = diagnostic.Location.GetLineSpan();
        var kind = diagnostic.Severity == DiagnosticSeverity.Warning ? "warning " : "";
        return $"{place.Path}, line {place.StartLinePosition.Line + 1}, column {place.StartLinePosition.Character + 1}: {kind}{Message(diagnostic)}";
    }

    static string LineOf(Diagnostic diagnostic) =>
        diagnostic.Location.IsInSource ? "    " + diagnostic.Location.SourceTree!.GetText().Lines.GetLineFromPosition(diagnostic.Location.SourceSpan.Start).ToString().Trim() : "";
}
