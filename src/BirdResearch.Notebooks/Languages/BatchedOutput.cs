using System.Text;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>Gathers text, so that a cell that prints a lot sends few messages. Order is kept, also between text and displays.</summary>
sealed class BatchedOutput(ICellOutput output) : ICellOutput, IDisposable
{
    const int Most = 32 * 1024;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    readonly Lock _lock = new();
    readonly StringBuilder _text = new();
    string _stream = "stdout";
    Timer? _timer;
    bool _armed;

    /// <inheritdoc/>
    public void Stream(string name, string text)
    {
        lock (_lock)
        {
            if (name != _stream) Send();
            _stream = name;
            _text.Append(text);
            if (_text.Length >= Most) Send(whole: false);
            if (_text.Length > 0 && !_armed) Arm();
        }
    }

    /// <inheritdoc/>
    public void Display(MimeBundle bundle, string? displayId = null)
    {
        lock (_lock)
        {
            Send();
            output.Display(bundle, displayId);
        }
    }

    /// <inheritdoc/>
    public void Update(string displayId, MimeBundle bundle)
    {
        lock (_lock)
        {
            Send();
            output.Update(displayId, bundle);
        }
    }

    /// <inheritdoc/>
    public void Clear(bool wait)
    {
        lock (_lock)
        {
            Send();
            output.Clear(wait);
        }
    }

    /// <summary>Sends what is left. What comes later, from threads that outlive the cell, is still sent.</summary>
    public void Dispose()
    {
        lock (_lock) Send();
    }

    void Due()
    {
        lock (_lock) Send(whole: false);
    }

    void Arm()
    {
        _armed = true;
        if (_timer is not null)
        {
            _timer.Change(Pause, Timeout.InfiniteTimeSpan);
            return;
        }
        // The timer's thread is none of the cell's: what a listener writes to the console there goes to the console.
        using var apart = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = new Timer(static me => ((BatchedOutput)me!).Due(), this, Pause, Timeout.InfiniteTimeSpan);
    }

    // Half of a character that is written in two steps waits for the other half.
    void Send(bool whole = true)
    {
        _armed = false;
        var length = _text.Length - (!whole && _text.Length > 0 && char.IsHighSurrogate(_text[^1]) ? 1 : 0);
        if (length == 0) return;
        var text = _text.ToString(0, length);
        _text.Remove(0, length);
        output.Stream(_stream, text);
    }
}
