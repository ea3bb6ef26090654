namespace BirdResearch.Notebooks.Display;

/// <summary>HTML that is shown as such.</summary>
/// <param name="Text">The HTML.</param>
public sealed record HtmlText(string Text);
