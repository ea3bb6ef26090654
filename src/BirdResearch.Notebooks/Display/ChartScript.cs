using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace BirdResearch.Notebooks.Display;

/// <summary>
/// Charts as HTML that draws itself without network. The first of a process carries plotly.js, packed; the others wait for it, since 3 MB are
/// too many to repeat.
/// </summary>
static class ChartScript
{
    static readonly Lazy<string> Packed = new(() =>
    {
        using var target = new MemoryStream();
        using (var gzip = new GZipStream(target, CompressionLevel.SmallestSize, leaveOpen: true)) gzip.Write(Encoding.UTF8.GetBytes(Analysis.Shown.plotlyScript()));
        return Convert.ToBase64String(target.ToArray());
    });

    static int _carried;

    // As a module, since pages with an AMD loader, such as the classic notebook's, would take it for themselves.
    const string Waiting = "window.birdPlotly ??= (() => { let ready; const promise = new Promise(done => ready = done); promise.ready = ready; return promise; })();";

    /// <summary>HTML that draws a figure; the first one of this process brings plotly.js along.</summary>
    public static string Html(JsonNode figure) => Html(figure, Guid.NewGuid().ToString("N"), withScript: Interlocked.Exchange(ref _carried, 1) == 0);

    /// <summary>HTML that draws a figure.</summary>
    /// <param name="figure">Its data and layout.</param>
    /// <param name="name">What no other chart of the page is called.</param>
    /// <param name="withScript">Whether it brings plotly.js along.</param>
    public static string Html(JsonNode figure, string name, bool withScript)
    {
        var id = $"bird-chart-{name}";
        return $$"""
            {{(withScript ? Script() + "\n" : "")}}<div id="{{id}}" style="height:{{ChartForm.HeightOf(figure)}}px"></div>
            <script>
            (() => {
              {{Waiting}}
              const figure = {{Json(figure)}};
              const place = document.getElementById("{{id}}");
              const missing = setTimeout(() => { place.textContent = "This chart waits for plotly.js, which came with the session's first chart. Run a cell with plotly() to load it again."; }, 20000);
              window.birdPlotly.then(Plotly => { clearTimeout(missing); place.textContent = ""; Plotly.newPlot(place, figure.data, figure.layout, figure.config); });
            })();
            </script>
            """;
    }

    /// <summary>HTML that brings plotly.js into a page for all charts that wait for it, and for later ones.</summary>
    public static string Script() => $$"""
        <script>
        (async () => {
          {{Waiting}}
          const bytes = Uint8Array.from(atob("{{Packed.Value}}"), letter => letter.charCodeAt(0));
          const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
          const module = { exports: {} };
          new Function("module", "exports", "define", text)(module, module.exports, undefined);
          window.birdPlotly.ready(module.exports);
        })();
        </script>
        """;

    /// <summary>JSON that can stand in a page's script: the signs of HTML are escaped in it.</summary>
    public static string Json(JsonNode node) => node.ToJsonString();
}
