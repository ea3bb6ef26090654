using System.Text;
using BirdResearch.Notebooks.Cells;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Completion;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.QuickInfo;
using Microsoft.CodeAnalysis.Text;

namespace BirdResearch.Notebooks.Languages;

sealed partial class CSharpCells
{
    const int MostProposals = 500;

    static readonly Lazy<MefHostServices> Host = new(() => MefHostServices.Create(MefHostServices.DefaultAssemblies));

    readonly Lock _knowing = new();
    readonly List<(CellText Text, MetadataReference[] References)> _kept = [];
    AdhocWorkspace? _workspace;
    ProjectId? _newest;
    int _known;

    /// <inheritdoc/>
    public async Task<Completions> Complete(string code, int cursor, CancellationToken cancellation)
    {
        var document = Document(code);
        var nothing = new Completions(cursor, cursor, []);
        if (CompletionService.GetService(document) is not { } service) return nothing;
        var list = await service.GetCompletionsAsync(document, cursor, cancellationToken: cancellation).ConfigureAwait(false);
        if (list is null || list.ItemsList.Count == 0) return nothing;
        var typed = code[list.Span.Start..Math.Min(cursor, list.Span.End)];
        var items = typed.Length == 0 ? list.ItemsList : service.FilterItems(document, [.. list.ItemsList], typed);
        return new Completions(list.Span.Start, list.Span.End, [.. items
            .OrderByDescending(i => i.FilterText.StartsWith(typed, StringComparison.Ordinal))
            .ThenByDescending(i => i.Rules.MatchPriority)
            .ThenBy(i => i.SortText, StringComparer.OrdinalIgnoreCase)
            .DistinctBy(i => i.DisplayText + i.DisplayTextSuffix)
            .Take(MostProposals)
            .Select(i => new Completion(i.DisplayText, Kind(i.Tags), i.InlineDescription))]);
    }

    /// <inheritdoc/>
    public async Task<MimeBundle?> Inspect(string code, int cursor, CancellationToken cancellation)
    {
        var document = Document(code);
        if (QuickInfoService.GetService(document) is not { } service) return null;
        // A cursor behind a name means the name.
        var info = await service.GetQuickInfoAsync(document, Math.Min(cursor, code.Length), cancellation).ConfigureAwait(false)
            ?? (cursor > 0 ? await service.GetQuickInfoAsync(document, cursor - 1, cancellation).ConfigureAwait(false) : null);
        if (info is null) return null;
        var signature = string.Join("\n", info.Sections.Where(s => s.Kind == QuickInfoSectionKinds.Description).Select(s => s.Text));
        var rest = string.Join("\n\n", info.Sections.Where(s => s.Kind != QuickInfoSectionKinds.Description).Select(s => s.Text).Where(t => t.Length > 0));
        return HoverText.Of(signature, rest, "csharp");
    }

    void Remember(CellText text)
    {
        lock (_knowing) _kept.Add((text, [.. _references]));
    }

    void DisposeCompletion() => _workspace?.Dispose();

    // A cell becomes a project of the workspace when something is first asked after it ran.
    Document Document(string code)
    {
        lock (_knowing)
        {
            _workspace ??= new AdhocWorkspace(Host.Value);
            for (; _known < _kept.Count; _known++) _newest = Submission(_workspace, _kept[_known].Text.Code, _kept[_known].References, _newest);
            var id = ProjectId.CreateNewId();
            var solution = _workspace.CurrentSolution.AddProject(Information(id, [.. _references], _newest));
            if (_newest is not null) solution = solution.AddProjectReference(id, new ProjectReference(_newest));
            var document = DocumentId.CreateNewId(id);
            return solution.AddDocument(document, "cell.csx", SourceText.From(code, Encoding.UTF8)).GetDocument(document)!;
        }
    }

    static ProjectId Submission(AdhocWorkspace workspace, string code, MetadataReference[] references, ProjectId? before)
    {
        var id = ProjectId.CreateNewId();
        var solution = workspace.CurrentSolution.AddProject(Information(id, references, before));
        if (before is not null) solution = solution.AddProjectReference(id, new ProjectReference(before));
        workspace.TryApplyChanges(solution.AddDocument(DocumentId.CreateNewId(id), "cell.csx", SourceText.From(code, Encoding.UTF8)));
        return id;
    }

    static ProjectInfo Information(ProjectId id, MetadataReference[] references, ProjectId? before) =>
        ProjectInfo.Create(
            id, VersionStamp.Create(), $"Cell-{id.Id:N}", $"Cell-{id.Id:N}", LanguageNames.CSharp,
            compilationOptions: Options(), parseOptions: Parsing, metadataReferences: references, isSubmission: true);

    static string Kind(System.Collections.Immutable.ImmutableArray<string> tags) => tags.FirstOrDefault() switch
    {
        "Method" or "ExtensionMethod" => "function",
        "Class" or "Structure" or "Interface" or "Enum" or "Delegate" or "TypeParameter" => "class",
        "Namespace" or "Module" => "module",
        "Property" or "Field" or "Event" or "EnumMember" or "Constant" => "property",
        "Local" or "Parameter" or "RangeVariable" => "instance",
        "Keyword" => "keyword",
        _ => "text",
    };
}
