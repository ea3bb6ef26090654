using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Display;

namespace BirdResearch.Notebooks.Documents;

/// <summary>A notebook as one HTML file that needs no network, and is not allowed any.</summary>
public sealed partial class NotebookPage
{
    // What a cell shows may be anybody's HTML: its scripts run, but nothing is loaded from elsewhere.
    const string Policy = "default-src 'none'; img-src data: blob:; media-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'";

    /// <summary>Forms of one thing, the best first.</summary>
    static readonly string[] Forms = [MimeBundle.PlotlyType, MimeBundle.HtmlType, MimeBundle.MarkdownType, "image/svg+xml", MimeBundle.PngType, "image/jpeg", MimeBundle.PlainType];

    readonly Notebook _notebook;
    readonly NotebookText _text;
    readonly StringBuilder _page = new();
    int _charts;

    NotebookPage(Notebook notebook, string folder) => (_notebook, _text) = (notebook, new NotebookText(folder));

    /// <summary>The page's text.</summary>
    /// <param name="notebook">The notebook, with its outputs.</param>
    /// <param name="folder">Folder that pictures of its text cells lie in.</param>
    /// <param name="name">Title where the notebook has no heading.</param>
    public static string Of(Notebook notebook, string folder, string name) => new NotebookPage(notebook, folder).Written(name);

    string Written(string name)
    {
        foreach (var cell in _notebook.Cells)
        {
            if (cell.Kind == "markdown") _page.Append($"<section>{_text.Html(cell.Source, cell.Others["attachments"] as JsonObject)}</section>\n");
            else if (cell.IsCode) Code(cell);
            else _page.Append($"<pre>{Escaped(cell.Source)}</pre>\n");
        }
        var scripts = _charts == 0 ? "" : $"<script>{Analysis.Shown.plotlyScript()}</script>\n<script>{Resource("page.js")}</script>\n";
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{Policy}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Escaped(_notebook.Title ?? name)}</title>
            <style>
            {Resource("page.css")}</style>
            </head>
            <body>
            <main>
            {_page}<footer>{Escaped(name)}, run by bird notebook run. Charts are drawn by plotly.js, a part of this file.</footer>
            </main>
            {scripts}</body>
            </html>

            """;
    }

    void Code(NotebookCell cell)
    {
        if (string.IsNullOrWhiteSpace(cell.Source)) return;
        var isFSharp = _notebook.IsFSharp(cell);
        _page.Append($"<div class=\"code{(isFSharp ? " fsharp" : "")}\"><small>{(isFSharp ? "F#" : "C#")}</small><pre><code>{Escaped(cell.Source.TrimEnd())}</code></pre></div>\n");
        foreach (var output in cell.Outputs.OfType<JsonObject>()) _page.Append($"<div class=\"output\">{Shown(output)}</div>\n");
    }

    string Shown(JsonObject output)
    {
        if (output["output_type"]?.ToString() == "stream") return $"<pre class=\"{Escaped(output["name"]?.ToString() ?? "")}\">{Escaped(Plain(output["text"]))}</pre>";
        if (output["output_type"]?.ToString() == "error")
        {
            var trace = string.Join('\n', (output["traceback"] as JsonArray ?? []).Select(line => line?.ToString()));
            return $"<pre class=\"error\">{Escaped($"{output["ename"]}: {output["evalue"]}\n{Colours().Replace(trace, "")}".TrimEnd())}</pre>";
        }
        var data = output["data"] as JsonObject ?? [];
        return Forms.FirstOrDefault(data.ContainsKey) is { } form ? Form(form, data[form]!, (output["metadata"] as JsonObject)?[form] as JsonObject) : "";
    }

    string Form(string form, JsonNode value, JsonObject? hints)
    {
        switch (form)
        {
            case MimeBundle.PlotlyType:
                _charts++;
                return $"<div class=\"chart\" style=\"height:{ChartForm.HeightOf(value)}px\"></div><script type=\"application/json\">{ChartScript.Json(value)}</script>";
            case MimeBundle.HtmlType:
                return IpynbFile.TextOf(value) ?? "";
            case MimeBundle.MarkdownType:
                return _text.Html(IpynbFile.TextOf(value) ?? "", null);
            case "image/svg+xml":
                return Picture(form, Convert.ToBase64String(Encoding.UTF8.GetBytes(IpynbFile.TextOf(value) ?? "")), hints);
            case MimeBundle.PngType or "image/jpeg":
                return Picture(form, (IpynbFile.TextOf(value) ?? "").ReplaceLineEndings(""), hints);
            default:
                return $"<pre>{Escaped(Plain(value))}</pre>";
        }
    }

    static string Picture(string form, string bytes, JsonObject? hints)
    {
        string Size(string name) => int.TryParse(hints?[name]?.ToString(), CultureInfo.InvariantCulture, out var size) ? $" {name}=\"{size}\"" : "";
        return Base64().IsMatch(bytes) ? $"<img alt=\"\" src=\"data:{form};base64,{bytes}\"{Size("width")}{Size("height")}>" : "";
    }

    static string Plain(JsonNode? node) => Colours().Replace(IpynbFile.TextOf(node) ?? node?.ToJsonString() ?? "", "");

    static string Escaped(string text) => WebUtility.HtmlEncode(text);

    static string Resource(string name)
    {
        using var reader = new StreamReader(typeof(NotebookPage).Assembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException($"The program lacks its part '{name}'."));
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\x1b\[[0-9;]*m")]
    private static partial Regex Colours();

    [GeneratedRegex(@"^[A-Za-z0-9+/=]*$")]
    private static partial Regex Base64();
}
