using System.Text.Json.Nodes;
using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Display;

namespace BirdResearch.Notebooks.Documents;

/// <summary>Takes what cells show and keeps it as a notebook's file holds it. Displays keep their names over cells, as in a front-end.</summary>
sealed class CellOutputs : ICellOutput
{
    /// <summary>A stream beyond this many characters a cell is left out of the copy.</summary>
    const int MostCharacters = 1_000_000;

    readonly Lock _lock = new();
    readonly Dictionary<string, List<JsonObject>> _named = [];
    readonly Action<string, string>? _heard;
    List<JsonObject> _shown = [];
    Dictionary<JsonObject, System.Text.StringBuilder> _streams = [];
    readonly Dictionary<JsonObject, int> _charts = [];
    int _characters;
    bool _clearsFirst;

    /// <param name="heard">Hears of what goes to the streams: name and text.</param>
    public CellOutputs(Action<string, string>? heard = null) => _heard = heard;

    /// <summary>Begins the next cell.</summary>
    public void Begin()
    {
        lock (_lock) (_shown, _streams, _characters, _clearsFirst) = ([], [], 0, false);
    }

    /// <summary>What this cell has shown up to now.</summary>
    public JsonArray Taken()
    {
        lock (_lock)
        {
            foreach (var (stream, text) in _streams) stream["text"] = IpynbFile.Lines(text.ToString());
            return new JsonArray([.. _shown.Select(o => o.DeepClone())]);
        }
    }

    /// <inheritdoc/>
    public void Stream(string name, string text)
    {
        if (text == "") return;
        _heard?.Invoke(name, text);
        lock (_lock)
        {
            ClearIfAsked();
            if (_characters >= MostCharacters) return;
            var fits = text.Length <= MostCharacters - _characters;
            var kept = fits ? text : text[..(MostCharacters - _characters)] + $"\n[Output beyond {MostCharacters} characters is left out.]\n";
            _characters += text.Length;
            if (_shown.Count == 0 || _shown[^1]["name"]?.ToString() != name)
            {
                var stream = new JsonObject { ["output_type"] = "stream", ["name"] = name };
                _shown.Add(stream);
                _streams[stream] = new();
            }
            _streams[_shown[^1]].Append(kept);
        }
    }

    /// <inheritdoc/>
    public void Display(MimeBundle bundle, string? displayId = null)
    {
        lock (_lock)
        {
            ClearIfAsked();
            var output = Output("display_data", bundle);
            _shown.Add(output);
            if (displayId is null) return;
            if (!_named.TryGetValue(displayId, out var others)) _named[displayId] = others = [];
            others.Add(output);
            foreach (var other in others) Put(other, bundle);
        }
    }

    /// <inheritdoc/>
    public void Update(string displayId, MimeBundle bundle)
    {
        lock (_lock)
            foreach (var output in _named.GetValueOrDefault(displayId) ?? []) Put(output, bundle);
    }

    /// <inheritdoc/>
    public void Clear(bool wait)
    {
        lock (_lock)
        {
            _clearsFirst = true;
            if (!wait) ClearIfAsked();
        }
    }

    /// <summary>Adds the value of the cell.</summary>
    public void Value(MimeBundle bundle, int count)
    {
        lock (_lock)
        {
            ClearIfAsked();
            var output = Output("execute_result", bundle);
            output["execution_count"] = count;
            _shown.Add(output);
        }
    }

    /// <summary>Adds why the cell failed.</summary>
    public void Error(CellError error)
    {
        lock (_lock)
        {
            ClearIfAsked();
            _shown.Add(new JsonObject
            {
                ["output_type"] = "error",
                ["ename"] = error.Name,
                ["evalue"] = error.Message,
                ["traceback"] = new JsonArray([.. error.Trace.Select(line => (JsonNode)line)]),
            });
        }
    }

    void ClearIfAsked()
    {
        if (!_clearsFirst) return;
        (_shown, _streams, _clearsFirst) = ([], [], false);
    }

    JsonObject Output(string type, MimeBundle bundle)
    {
        var output = new JsonObject { ["output_type"] = type };
        Put(output, bundle);
        return output;
    }

    void Put(JsonObject output, MimeBundle bundle)
    {
        if (bundle.Data.TryGetValue(MimeBundle.PlotlyType, out var figure) && bundle.Data.ContainsKey(MimeBundle.HtmlType))
        {
            // The file is a page of its own: its first chart brings plotly.js, whatever this process has shown before.
            if (!_charts.TryGetValue(output, out var number)) _charts[output] = number = _charts.Count;
            bundle = bundle.With(MimeBundle.HtmlType, ChartScript.Html(figure, $"{number}", withScript: number == 0));
        }
        output["data"] = new JsonObject(bundle.Data.Select(p => KeyValuePair.Create(p.Key, Kept(p.Key, p.Value))));
        output["metadata"] = new JsonObject((bundle.Metadata ?? new Dictionary<string, JsonNode>()).Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value.DeepClone())));
    }

    // Jupyter keeps text by lines and all else as it is.
    static JsonNode? Kept(string type, JsonNode value) =>
        (type.StartsWith("text/", StringComparison.Ordinal) || type == "image/svg+xml") && IpynbFile.TextOf(value) is { } text ? IpynbFile.Lines(text) : value.DeepClone();
}
