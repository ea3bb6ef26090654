namespace BirdResearch.Notebooks.Display;

/// <summary>Markdown that is shown as such.</summary>
/// <param name="Text">The Markdown.</param>
public sealed record MarkdownText(string Text);
