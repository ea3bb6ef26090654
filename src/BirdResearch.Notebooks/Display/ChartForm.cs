using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using BirdResearch.Notebooks.Cells;
using Plotly.NET;

namespace BirdResearch.Notebooks.Display;

/// <summary>Plotly's figures: as JSON for front-ends that draw them, and as HTML for those that do not.</summary>
static class ChartForm
{
    public static MimeBundle Of(GenericChart chart)
    {
        var figure = FigureOf(chart);
        return MimeBundle.Plain(TextOf(figure)).With(MimeBundle.PlotlyType, figure).With(MimeBundle.HtmlType, ChartScript.Html(figure));
    }

    /// <summary>Data, layout and config, with every typed array written out: renderers with an older plotly.js know no base64 arrays.</summary>
    public static JsonObject FigureOf(GenericChart chart)
    {
        var figure = JsonNode.Parse(Analysis.Shown.figure(chart))!.AsObject();
        var config = new JsonObject { ["responsive"] = true, ["displaylogo"] = false };
        if (Analysis.Shown.isBare(chart)) config["displayModeBar"] = false;
        return new JsonObject
        {
            ["data"] = TypedArrays.WrittenOut(figure["data"]) ?? new JsonArray(),
            ["layout"] = TypedArrays.WrittenOut(figure["layout"]) ?? new JsonObject(),
            ["config"] = config,
        };
    }

    /// <summary>Height in pixels.</summary>
    public static int HeightOf(JsonNode figure) => double.TryParse(figure["layout"]?["height"]?.ToString(), CultureInfo.InvariantCulture, out var height) ? (int)height : 450;

    /// <summary>What a chart shows, in a line.</summary>
    public static string TextOf(JsonNode figure)
    {
        var title = figure["layout"]?["title"] switch
        {
            JsonValue text => text.ToString(),
            JsonObject holder => holder["text"]?.ToString() ?? "",
            _ => "",
        };
        var kinds = (figure["data"] as JsonArray ?? []).GroupBy(t => t?["type"]?.ToString() ?? "scatter").Select(g => $"{g.Count()} {g.Key}");
        return $"Chart{(title == "" ? "" : $" \"{WebUtility.HtmlDecode(title)}\"")}: {string.Join(", ", kinds)}";
    }
}
