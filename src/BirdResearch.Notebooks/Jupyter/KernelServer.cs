using System.Collections.Concurrent;
using BirdResearch.Notebooks.Cells;
using BirdResearch.Notebooks.Jupyter.Requests;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>Serves a session to Jupyter's front-ends. Requests of the shell run one after another, those of control beside them.</summary>
public sealed class KernelServer : IDisposable
{
    static readonly TimeSpan LastWait = TimeSpan.FromSeconds(1.5);   // less than the 2.5 s after which jupyter_client sends SIGTERM

    readonly string _session = $"{Guid.NewGuid():N}";
    readonly LanguageInfo _language;
    readonly Lazy<INotebookSession> _notebook;
    readonly TextWriter _log;
    readonly KernelSockets _sockets;
    readonly History _history = new();
    readonly Execution _execution;
    readonly BlockingCollection<(WireMessage Message, long Number, KernelChannel Channel)> _shell = [], _control = [];
    readonly ManualResetEventSlim _end = new();
    long _received, _leftOut;

    /// <summary>Binds the sockets; nothing is answered before <see cref="Run"/>.</summary>
    /// <param name="connection">Where the front-end wants to meet it.</param>
    /// <param name="language">The session's own language.</param>
    /// <param name="open">Opens the session; front-ends are greeted meanwhile.</param>
    /// <param name="log">Where messages that are dropped are told of: standard error, past what cells write there.</param>
    public KernelServer(ConnectionFile connection, LanguageInfo language, Func<INotebookSession> open, TextWriter log)
    {
        _language = language;
        _notebook = new(open);
        _log = log;
        _execution = new(() => _notebook.Value, _history);
        _sockets = new KernelSockets(connection, Receive, log);
    }

    /// <summary>Serves until a front-end shuts the kernel down or <see cref="Stop"/> is called.</summary>
    public void Run()
    {
        _sockets.Start();
        _sockets.Send(KernelChannel.Iopub, WireMessage.Create(_session, "status", new { ExecutionState = "starting" }));
        var opening = Task.Run(() => _notebook.Value);
        var cells = Work(_shell, "kernel cells");
        Work(_control, "kernel control");
        _end.Wait();
        _shell.CompleteAdding();
        _control.CompleteAdding();
        Interrupt();
        cells.Join(LastWait);
        _ = opening.ContinueWith(o => o.Exception, TaskScheduler.Default);
    }

    /// <summary>Interrupts the cell that runs; the kernel stays.</summary>
    public void Interrupt() => _execution.Interrupt();

    /// <summary>Ends <see cref="Run"/>.</summary>
    public void Stop() => _end.Set();

    /// <summary>Sends what is left and closes the sockets.</summary>
    public void Dispose() => _sockets.Dispose();

    void Receive(KernelChannel channel, WireMessage message)
    {
        // Older front-ends send this on the shell, where it must not wait for the cell that it is to end.
        var work = channel == KernelChannel.Control || message.Type is "shutdown_request" or "interrupt_request" ? _control : _shell;
        if (!work.IsAddingCompleted) work.Add((message, Interlocked.Increment(ref _received), channel));
    }

    Thread Work(BlockingCollection<(WireMessage, long, KernelChannel)> queue, string name)
    {
        var thread = new Thread(() =>
        {
            foreach (var (message, number, channel) in queue.GetConsumingEnumerable())
            {
                if (_end.IsSet) return;
                Serve(message, number, channel);
            }
        })
        { IsBackground = true, Name = name };
        thread.Start();
        return thread;
    }

    void Serve(WireMessage request, long number, KernelChannel channel)
    {
        void Publish(string type, object content) => _sockets.Send(KernelChannel.Iopub, WireMessage.Create(_session, type, content, request.Header));

        Publish("status", new { ExecutionState = "busy" });
        try
        {
            if (Answer(request, number, Publish) is { } content)
                _sockets.Send(channel, WireMessage.Create(_session, request.Type.Replace("_request", "_reply"), content, request.Header, request.Identities));
        }
        catch (Exception e)
        {
            _log.WriteLine($"bird kernel: {request.Type} failed: {e}");
            var content = new { Status = "error", Ename = e.GetType().Name, Evalue = e.Message, Traceback = new[] { $"{e.GetType().Name}: {e.Message}" } };
            if (request.Type == "execute_request") Publish("error", content);
            _sockets.Send(channel, WireMessage.Create(_session, request.Type.Replace("_request", "_reply"), content, request.Header, request.Identities));
        }
        Publish("status", new { ExecutionState = "idle" });
        if (request.Type == "shutdown_request") Stop();
    }

    object? Answer(WireMessage request, long number, Action<string, object> publish)
    {
        switch (request.Type)
        {
            case "kernel_info_request": return _language.Answer();
            case "execute_request": return Execute(request, number, publish);
            case "complete_request": return Questions.Complete(_notebook.Value, request);
            case "inspect_request": return Questions.Inspect(_notebook.Value, request);
            case "is_complete_request": return Questions.IsComplete(_notebook.Value, request);
            case "history_request": return _history.Answer(request);
            case "comm_info_request": return new { Status = "ok", Comms = new Dictionary<string, object>() };
            case "interrupt_request":
                Interrupt();
                return new { Status = "ok" };
            case "shutdown_request":
                var reply = new { Status = "ok", Restart = request.Flag("restart", false) };
                publish("shutdown_reply", reply);
                return reply;
            case "comm_open":
                publish("comm_close", new { CommId = request.Text("comm_id"), Data = new Dictionary<string, object>() });
                return null;
            default:
                if (!request.Type.EndsWith("_request", StringComparison.Ordinal)) return null;
                return new { Status = "error", Ename = "NotSupported", Evalue = $"This kernel does not answer {request.Type}.", Traceback = Array.Empty<string>() };
        }
    }

    object Execute(WireMessage request, long number, Action<string, object> publish)
    {
        if (number <= Interlocked.Read(ref _leftOut)) return _execution.Aborted;
        var (reply, stopsQueue) = _execution.Run(request, publish);
        if (stopsQueue) Interlocked.Exchange(ref _leftOut, Interlocked.Read(ref _received));   // all that came while it ran
        return reply;
    }
}
