using System.Text.Json.Nodes;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>Output of one cell on its way to the front-ends.</summary>
/// <param name="publish">Sends a message of a type and content to all front-ends, as the cell's.</param>
sealed class CellChannel(Action<string, object> publish) : ICellOutput
{
    static readonly Dictionary<string, JsonNode> NoHints = [];

    /// <inheritdoc/>
    public void Stream(string name, string text) => publish("stream", new { Name = name, Text = text });

    /// <inheritdoc/>
    public void Display(MimeBundle bundle, string? displayId = null) => publish("display_data", Shown(bundle, displayId));

    /// <inheritdoc/>
    public void Update(string displayId, MimeBundle bundle) => publish("update_display_data", Shown(bundle, displayId));

    /// <inheritdoc/>
    public void Clear(bool wait) => publish("clear_output", new { Wait = wait });

    /// <summary>A bundle's metadata as the protocol wants it: never missing.</summary>
    public static object Hints(MimeBundle bundle) => bundle.Metadata ?? NoHints;

    static object Shown(MimeBundle bundle, string? displayId) =>
        new { bundle.Data, Metadata = Hints(bundle), Transient = displayId is null ? [] : new Dictionary<string, string> { ["display_id"] = displayId } };
}
