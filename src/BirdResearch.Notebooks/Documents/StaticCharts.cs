using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Display;

namespace BirdResearch.Notebooks.Documents;

/// <summary>
/// Gives the charts of a notebook a still picture, for where neither script nor renderer draws them (GitHub), and takes away the HTML that would come
/// before the picture there.
/// </summary>
public static class StaticCharts
{
    const int Width = 900;

    /// <summary>A page whose figures, named by number from 0, are the notebook's charts in order; null where it has none. It answers as reports do.</summary>
    public static string? Page(Notebook notebook)
    {
        var charts = Charts(notebook).ToList();
        if (charts.Count == 0) return null;
        var body = new StringBuilder();
        foreach (var (i, data) in charts.Index())
        {
            var figure = data[MimeBundle.PlotlyType]!;
            body.Append($"""
                <figure data-name="{i}" data-title="{WebUtility.HtmlEncode(ChartForm.TextOf(figure))}"><div class="charts one"><div class="chart" id="chart-{i}" style="height:{ChartForm.HeightOf(figure)}px"></div></div>
                <script type="application/json" id="chart-{i}-data">{ChartScript.Json(Sized(figure))}</script></figure>

                """);
        }
        return Analysis.Shown.figuresPage(body.ToString());
    }

    /// <summary>Puts the pictures into the notebook.</summary>
    /// <param name="notebook">The notebook.</param>
    /// <param name="pictures">PNG files in the order of the charts.</param>
    public static void Add(Notebook notebook, IReadOnlyList<byte[]> pictures)
    {
        foreach (var (output, png) in Outputs(notebook).Zip(pictures))
        {
            var data = output["data"]!.AsObject();
            data[MimeBundle.PngType] = Convert.ToBase64String(png);
            data.Remove(MimeBundle.HtmlType);
            output["metadata"] = new JsonObject { [MimeBundle.PngType] = new JsonObject { ["width"] = Width } };
        }
    }

    // The page asks each chart for its height.
    static JsonNode Sized(JsonNode figure)
    {
        var sized = figure.DeepClone();
        (sized["layout"] ??= new JsonObject())["height"] = ChartForm.HeightOf(figure);
        return sized;
    }

    static IEnumerable<JsonObject> Charts(Notebook notebook) => Outputs(notebook).Select(o => o["data"]!.AsObject());

    static IEnumerable<JsonObject> Outputs(Notebook notebook) => notebook.Cells.SelectMany(c => c.Outputs).OfType<JsonObject>()
        .Where(o => o["data"] is JsonObject data && data.ContainsKey(MimeBundle.PlotlyType));
}
