using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>What is said about a name under the cursor.</summary>
static class HoverText
{
    /// <summary>A signature and its documentation, as plain text and as Markdown; null where there is neither.</summary>
    public static MimeBundle? Of(string signature, string documentation, string language)
    {
        if (signature.Length == 0 && documentation.Length == 0) return null;
        var plain = documentation.Length == 0 ? signature : $"{signature}\n\n{documentation}";
        return MimeBundle.Plain(plain.Trim()).With(MimeBundle.MarkdownType, $"```{language}\n{signature}\n```\n\n{documentation}".TrimEnd());
    }
}
