using System.Text.Json.Nodes;

namespace BirdResearch.Notebooks.Cells;

/// <summary>One thing to show, in every form that it has: values by MIME type, as Jupyter's <c>data</c> holds them.</summary>
/// <param name="Data">Text for textual types, base64 text for binary ones, an object for JSON types such as <c>application/vnd.plotly.v1+json</c>.</param>
/// <param name="Metadata">Hints to front-ends by MIME type, such as a picture's width.</param>
public sealed record MimeBundle(IReadOnlyDictionary<string, JsonNode> Data, IReadOnlyDictionary<string, JsonNode>? Metadata = null)
{
    /// <summary>MIME type of plain text.</summary>
    public const string PlainType = "text/plain";

    /// <summary>MIME type of HTML.</summary>
    public const string HtmlType = "text/html";

    /// <summary>MIME type of Markdown.</summary>
    public const string MarkdownType = "text/markdown";

    /// <summary>MIME type of PNG files.</summary>
    public const string PngType = "image/png";

    /// <summary>MIME type of a Plotly figure, which VS Code and JupyterLab draw themselves.</summary>
    public const string PlotlyType = "application/vnd.plotly.v1+json";

    /// <summary>A bundle of one form.</summary>
    public static MimeBundle Of(string type, JsonNode value) => new(new Dictionary<string, JsonNode> { [type] = value });

    /// <summary>Plain text.</summary>
    public static MimeBundle Plain(string text) => Of(PlainType, text);

    /// <summary>This bundle with one form more, or with another value of a form that it has.</summary>
    public MimeBundle With(string type, JsonNode value) => this with { Data = new Dictionary<string, JsonNode>(Data) { [type] = value } };
}
