using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Display;

/// <summary>How values are shown.</summary>
public static class Formatters
{
    /// <summary>A value in every form that it has; plain text is always among them.</summary>
    public static MimeBundle Of(object? value) => MimeBundle.Plain(value?.ToString() ?? "null");
}
