using System.Text.Json.Nodes;
using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace BirdResearch.Notebooks.Documents;

/// <summary>Text cells as HTML: HTML in them is shown as text, and nothing is loaded from elsewhere.</summary>
/// <param name="folder">Folder that pictures lie in.</param>
sealed class NotebookText(string folder)
{
    /// <summary>A larger picture stays outside the page.</summary>
    const long LargestPicture = 8_000_000;

    static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers().UseEmphasisExtras().UseListExtras().DisableHtml().Build();

    static readonly Dictionary<string, string> Kinds = new(StringComparer.OrdinalIgnoreCase)
    {
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".svg"] = "image/svg+xml",
    };

    /// <summary>A text as HTML.</summary>
    /// <param name="text">Markdown.</param>
    /// <param name="attachments">The cell's attachments, as the file has them.</param>
    public string Html(string text, JsonObject? attachments)
    {
        var document = Markdig.Markdown.Parse(text, Pipeline);
        foreach (var link in document.Descendants<LinkInline>().ToList())
        {
            if (link.IsImage) link.Url = Picture(link.Url ?? "", attachments);
            else if (!IsHarmless(link.Url ?? "")) link.Url = "#";
        }
        foreach (var link in document.Descendants<AutolinkInline>().Where(l => !l.IsEmail && !IsHarmless(l.Url)).ToList()) link.Url = "#";
        return document.ToHtml(Pipeline);
    }

    static bool IsHarmless(string url) =>
        !Uri.TryCreate(url, UriKind.Absolute, out var absolute) ? !url.TrimStart().StartsWith("javascript", StringComparison.OrdinalIgnoreCase)
            : absolute.Scheme is "http" or "https" or "mailto";

    /// <summary>A picture with its bytes in the address; none where it is not at hand.</summary>
    string Picture(string url, JsonObject? attachments)
    {
        if (url.StartsWith("data:image/", StringComparison.OrdinalIgnoreCase)) return url;
        if (url.StartsWith("attachment:", StringComparison.Ordinal) && attachments?[url["attachment:".Length..]] is JsonObject forms
            && forms.FirstOrDefault(f => Kinds.ContainsValue(f.Key)) is { Key: { } kind, Value: { } bytes })
            return $"data:{kind};base64,{IpynbFile.TextOf(bytes)?.ReplaceLineEndings("")}";
        if (url.Contains(':') || !Kinds.TryGetValue(Path.GetExtension(url), out var type)) return "";
        var file = Path.Combine(folder, Uri.UnescapeDataString(url));
        return File.Exists(file) && new FileInfo(file).Length <= LargestPicture ? Analysis.SoundCharts.dataUri(type, File.ReadAllBytes(file)) : "";
    }
}
