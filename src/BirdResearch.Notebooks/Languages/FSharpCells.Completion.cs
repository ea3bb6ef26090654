using System.Xml.Linq;
using BirdResearch.Notebooks.Cells;
using FSharp.Compiler.CodeAnalysis;
using FSharp.Compiler.EditorServices;
using FSharp.Compiler.Symbols;
using FSharp.Compiler.Tokenization;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace BirdResearch.Notebooks.Languages;

sealed partial class FSharpCells
{
    const int MostProposals = 500;

    /// <inheritdoc/>
    public Task<Completions> Complete(string code, int cursor, CancellationToken cancellation) => Task.Run(() =>
    {
        var (line, column, text) = Place(code, cursor);
        var name = QuickParse.GetPartialLongNameEx(text, column - 1);
        var (parsed, results, _) = _session.ParseAndCheckInteraction(code, FSharpOption<bool>.None);
        var found = results.GetDeclarationListInfo(
            FSharpOption<FSharpParseFileResults>.Some(parsed), line, text, name, getAllEntities: null, completionContextAtPos: null, options: null);
        var typed = name.PartialIdent;
        var items = found.Items
            .Where(i => i.NameInList.StartsWith(typed, StringComparison.OrdinalIgnoreCase))
            .OrderByDescending(i => i.NameInList.StartsWith(typed, StringComparison.Ordinal))
            .ThenBy(i => i.MinorPriority)
            .ThenBy(i => i.NameInList, StringComparer.OrdinalIgnoreCase)
            .DistinctBy(i => i.NameInCode)
            .Take(MostProposals)
            .Select(i => new Completion(i.NameInCode, Kind(i.Glyph)));
        return new Completions(cursor - typed.Length, cursor, [.. items]);
    }, cancellation);

    /// <inheritdoc/>
    public Task<MimeBundle?> Inspect(string code, int cursor, CancellationToken cancellation) => Task.Run(() =>
    {
        var (line, column, text) = Place(code, cursor);
        if (QuickParse.GetCompleteIdentifierIsland(true, text, Math.Max(0, Math.Min(column, text.Length - 1))) is not { Value: var (name, end, _) }) return null;
        var (_, results, _) = _session.ParseAndCheckInteraction(code, FSharpOption<bool>.None);
        var tip = results.GetToolTip(line, end, text, ListModule.OfSeq(name.Split('.')), FSharpTokenTag.Identifier, FSharpOption<int>.None);
        var groups = tip.Item.OfType<ToolTipElement.Group>().SelectMany(g => g.elements).ToList();
        var signature = string.Join("\n", groups.Select(g => string.Concat(g.MainDescription.ToString())));
        return HoverText.Of(signature, string.Join("\n\n", groups.Select(g => Documentation(g.XmlDoc)).Where(d => d.Length > 0)), "fsharp");
    }, cancellation);

    static (int Line, int Column, string Text) Place(string code, int cursor)
    {
        var before = code[..cursor];
        var line = before.Count(c => c == '\n');
        return (line + 1, cursor - (before.LastIndexOf('\n') + 1), code.Split('\n')[line].TrimEnd('\r'));
    }

    static string Documentation(FSharpXmlDoc documentation)
    {
        if (documentation is not FSharpXmlDoc.FromXmlText { Item: var text }) return "";
        var lines = string.Join('\n', text.UnprocessedLines).Trim();
        if (!lines.StartsWith('<')) return lines;
        try
        {
            return XElement.Parse($"<doc>{lines}</doc>").Value.Trim();
        }
        catch (System.Xml.XmlException)
        {
            return lines;
        }
    }

    static string Kind(FSharpGlyph glyph) =>
        glyph.IsMethod || glyph.IsExtensionMethod || glyph.IsOverridenMethod || glyph.IsDelegate ? "function"
        : glyph.IsClass || glyph.IsStruct || glyph.IsInterface || glyph.IsEnum || glyph.IsType || glyph.IsUnion || glyph.IsTypedef || glyph.IsException ? "class"
        : glyph.IsModule || glyph.IsNameSpace ? "module"
        : glyph.IsProperty || glyph.IsField || glyph.IsEnumMember || glyph.IsEvent || glyph.IsConstant ? "property"
        : glyph.IsVariable ? "instance"
        : "text";
}
