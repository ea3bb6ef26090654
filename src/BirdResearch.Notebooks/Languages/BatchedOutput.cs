using System.Text;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>
/// Gathers text, so that a cell that prints a lot sends few messages. Order is kept, also between text and displays. Whoever prints holds the
/// console's lock, which the receiver may want: so text is never sent by the thread that prints it, and nothing is sent under a lock of ours.
/// </summary>
sealed class BatchedOutput(ICellOutput output) : ICellOutput, IDisposable
{
    const int Most = 32 * 1024;
    const int FarBehind = 4 * 1024 * 1024;
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    // None of the cell's: what the receiver writes to the console goes to the console.
    readonly ExecutionContext? _outside = ExecutionContext.Capture();
    readonly object _gate = new();
    readonly Queue<Action> _ready = [];
    readonly StringBuilder _text = new();
    string _stream = "stdout";
    Timer? _timer;
    bool _armed;
    bool _hurried;
    long _behind;   // characters that were printed and not sent
    Thread? _sender;

    /// <inheritdoc/>
    public void Stream(string name, string text)
    {
        lock (_gate)
        {
            if (name != _stream) Close();
            _stream = name;
            _text.Append(text);
            _behind += text.Length;
            ArmForText();
            // A receiver that falls behind is given time, but no more than that: it may be waiting for the caller.
            if (_behind >= FarBehind) Monitor.Wait(_gate, Pause);
        }
    }

    /// <inheritdoc/>
    public void Display(MimeBundle bundle, string? displayId = null) => Send(() => output.Display(bundle, displayId));

    /// <inheritdoc/>
    public void Update(string displayId, MimeBundle bundle) => Send(() => output.Update(displayId, bundle));

    /// <inheritdoc/>
    public void Clear(bool wait) => Send(() => output.Clear(wait));

    /// <summary>Sends what is left. What comes later, from threads that outlive the cell, is still sent.</summary>
    public void Dispose() => Send(null);

    void Send(Action? last)
    {
        lock (_gate)
        {
            Close();
            if (last is not null) _ready.Enqueue(last);
        }
        SendReady(all: true);
    }

    void Due()
    {
        lock (_gate)
        {
            _armed = _hurried = false;
            if (_sender is null) Close(whole: false);   // else it gathers on
        }
        SendReady(all: false);
    }

    // One thread sends at a time. Others leave theirs to it, and wait for it where all is to be sent when they return.
    void SendReady(bool all)
    {
        var mine = false;
        try
        {
            lock (_gate)
            {
                if (_sender == Thread.CurrentThread) return;   // the receiver itself showed something: it comes next
                while (_sender is not null && all) Monitor.Wait(_gate);
                if (_sender is not null) return;
                mine = true;
                _sender = Thread.CurrentThread;
            }
            if (_outside is null) SendEach();
            else ExecutionContext.Run(_outside, static me => ((BatchedOutput)me!).SendEach(), this);
        }
        finally
        {
            if (mine) EndSending();
        }
    }

    void SendEach()
    {
        while (true)
        {
            Action? next;
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
                if (!_ready.TryDequeue(out next)) return;
            }
            next();
        }
    }

    void EndSending()
    {
        lock (_gate)
        {
            _sender = null;
            if (_ready.Count > 0) SendSoon();
            else ArmForText();
            Monitor.PulseAll(_gate);
        }
    }

    void ArmForText()
    {
        if (_text.Length >= Most) SendSoon();
        else if (_text.Length > 0 && !_armed) SendAfter(Pause);
    }

    void SendSoon()
    {
        if (_hurried) return;
        SendAfter(TimeSpan.Zero);
        _hurried = true;
    }

    void SendAfter(TimeSpan pause)
    {
        _armed = true;
        if (_timer is not null)
        {
            _timer.Change(pause, Timeout.InfiniteTimeSpan);
            return;
        }
        using var apart = ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow();
        _timer = new Timer(static me => ((BatchedOutput)me!).Due(), this, pause, Timeout.InfiniteTimeSpan);
    }

    // Half of a character that is written in two steps waits for the other half.
    void Close(bool whole = true)
    {
        var length = _text.Length - (!whole && _text.Length > 0 && char.IsHighSurrogate(_text[^1]) ? 1 : 0);
        if (length == 0) return;
        var (stream, text) = (_stream, _text.ToString(0, length));
        _text.Remove(0, length);
        _ready.Enqueue(() =>
        {
            lock (_gate) _behind -= length;
            output.Stream(stream, text);
        });
    }
}
