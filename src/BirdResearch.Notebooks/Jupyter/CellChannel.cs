using System.Text;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>Output of one cell on its way to the front-ends: in order, streams gathered for a moment so that many lines are few messages.</summary>
/// <param name="publish">Sends a message of a type and content to all front-ends, as the cell's.</param>
sealed class CellChannel(Action<string, object> publish) : ICellOutput
{
    const int MostText = 1 << 16;
    const int PauseMilliseconds = 40;

    readonly Lock _gate = new();
    readonly StringBuilder _text = new();
    string _name = "stdout";
    Timer? _timer;
    bool _isDue;

    /// <inheritdoc/>
    public void Stream(string name, string text)
    {
        lock (_gate)
        {
            if (name != _name) Send(all: true);
            _name = name;
            _text.Append(text);
            if (_text.Length >= MostText) Send(all: false);
            if (_isDue || _text.Length == 0) return;
            _isDue = true;
            (_timer ??= new Timer(_ => Due())).Change(PauseMilliseconds, Timeout.Infinite);
        }
    }

    /// <inheritdoc/>
    public void Display(MimeBundle bundle, string? displayId = null) => Publish("display_data", Shown(bundle, displayId));

    /// <inheritdoc/>
    public void Update(string displayId, MimeBundle bundle) => Publish("update_display_data", Shown(bundle, displayId));

    /// <inheritdoc/>
    public void Clear(bool wait) => Publish("clear_output", new { Wait = wait });

    /// <summary>Sends a message after everything that was written before.</summary>
    public void Publish(string type, object content)
    {
        lock (_gate)
        {
            Send(all: true);
            publish(type, content);
        }
    }

    /// <summary>Sends what is still held.</summary>
    public void Flush()
    {
        lock (_gate) Send(all: true);
    }

    static object Shown(MimeBundle bundle, string? displayId) =>
        new { bundle.Data, Metadata = Hints(bundle), Transient = displayId is null ? [] : new Dictionary<string, string> { ["display_id"] = displayId } };

    /// <summary>A bundle's metadata as the protocol wants it: never missing.</summary>
    public static object Hints(MimeBundle bundle) => bundle.Metadata ?? new Dictionary<string, System.Text.Json.Nodes.JsonNode>();

    void Due()
    {
        lock (_gate)
        {
            _isDue = false;
            Send(all: false);
        }
    }

    // Half of a character that is written in two steps waits for the other half.
    void Send(bool all)
    {
        var half = !all && _text.Length > 0 && char.IsHighSurrogate(_text[^1]) ? 1 : 0;
        if (_text.Length == half) return;
        publish("stream", new { Name = _name, Text = _text.ToString(0, _text.Length - half) });
        _text.Remove(0, _text.Length - half);
    }
}
