using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Jupyter.Requests;

/// <summary>Answers what front-ends ask about code while it is written.</summary>
static class Questions
{
    /// <summary>The content of a <c>complete_reply</c>.</summary>
    public static object Complete(INotebookSession session, WireMessage request)
    {
        var code = request.Text("code");
        var found = session.Complete(code, Cursor(request, code)).GetAwaiter().GetResult();
        var (start, end) = (CodePoints.FromUnits(code, found.Start), CodePoints.FromUnits(code, found.End));
        return new
        {
            Status = "ok",
            Matches = found.Items.Select(i => i.Text).ToArray(),
            CursorStart = start,
            CursorEnd = end,
            Metadata = new Dictionary<string, object>
            {
                ["_jupyter_types_experimental"] = found.Items.Select(i => new { Start = start, End = end, i.Text, Type = i.Kind, i.Signature }).ToArray(),
            },
        };
    }

    /// <summary>The content of an <c>inspect_reply</c>.</summary>
    public static object Inspect(INotebookSession session, WireMessage request)
    {
        var code = request.Text("code");
        var found = session.Inspect(code, Cursor(request, code)).GetAwaiter().GetResult();
        var shown = found ?? new MimeBundle(new Dictionary<string, System.Text.Json.Nodes.JsonNode>());
        return new { Status = "ok", Found = found is not null, shown.Data, Metadata = CellChannel.Hints(shown) };
    }

    /// <summary>The content of an <c>is_complete_reply</c>.</summary>
    public static object IsComplete(INotebookSession session, WireMessage request)
    {
        var answer = session.IsComplete(request.Text("code"));
        return new { Status = answer.ToString().ToLowerInvariant(), Indent = answer == Completeness.Incomplete ? "    " : "" };
    }

    static int Cursor(WireMessage request, string code) => CodePoints.ToUnits(code, request.Number("cursor_pos") ?? int.MaxValue);
}
