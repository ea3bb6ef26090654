using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Jupyter.Requests;

/// <summary>Runs cells for <c>execute_request</c>. One thread runs them; any may interrupt.</summary>
sealed class Execution(Func<INotebookSession> session, History history)
{
    static readonly object[] NoPayload = [];
    static readonly Dictionary<string, object> NoExpressions = [];

    readonly Lock _gate = new();
    CancellationTokenSource? _running;
    int _count;

    /// <summary>Interrupts the cell that runs, if one does: the first time it is asked, after that it is stopped.</summary>
    public void Interrupt()
    {
        lock (_gate)
        {
            if (_running is not { } running) return;
            // Not awaited: whoever listens may take his time, and the front-end gets its reply at once.
            _ = running.IsCancellationRequested ? Task.Run(session().Force) : running.CancelAsync();
        }
    }

    /// <summary>Runs a cell and says what the reply holds, and whether the cells that wait behind it are to be left out.</summary>
    public (object Reply, bool StopsQueue) Run(WireMessage request, Action<string, object> publish)
    {
        var code = request.Text("code");
        var isSilent = request.Flag("silent", false);
        var isStored = !isSilent && request.Flag("store_history", true);
        if (isStored) _count++;
        if (isSilent) publish = (_, _) => { };
        publish("execute_input", new { Code = code, ExecutionCount = _count });

        var reply = Result(new CellRequest(code, LanguageOf(request), isStored ? _count : 0), new CellChannel(publish));
        if (isStored) history.Add(_count, code, reply.Value is { } shown && shown.Data.TryGetValue(MimeBundle.PlainType, out var plain) ? plain.ToString() : null);
        if (reply.Error is { } error)
        {
            var failure = Failure(error);
            publish("error", failure);
            return (new { Status = "error", ExecutionCount = _count, failure.Ename, failure.Evalue, failure.Traceback, Payload = NoPayload, UserExpressions = NoExpressions },
                request.Flag("stop_on_error", true));
        }
        if (reply.Value is { } value) publish("execute_result", new { value.Data, Metadata = CellChannel.Hints(value), ExecutionCount = _count });
        return (new { Status = "ok", ExecutionCount = _count, Payload = NoPayload, UserExpressions = Expressions(request) }, false);
    }

    /// <summary>The reply to a cell that is left out because one before it failed.</summary>
    public object Aborted => new { Status = "aborted", ExecutionCount = _count, Payload = NoPayload, UserExpressions = NoExpressions };

    CellReply Result(CellRequest cell, CellChannel channel)
    {
        var running = new CancellationTokenSource();
        lock (_gate) _running = running;
        try
        {
            return session().Run(cell, channel, running.Token).GetAwaiter().GetResult();
        }
        finally
        {
            lock (_gate) _running = null;
        }
    }

    Dictionary<string, object> Expressions(WireMessage request)
    {
        var results = new Dictionary<string, object>();
        if (request["user_expressions"] is not { ValueKind: System.Text.Json.JsonValueKind.Object } asked) return results;
        foreach (var one in asked.EnumerateObject())
        {
            var reply = session().Evaluate(one.Value.ToString());
            var value = reply.Value ?? MimeBundle.Plain("");
            results[one.Name] = reply.Error is { } error
                ? Failure(error)
                : new { Status = "ok", value.Data, Metadata = CellChannel.Hints(value) };
        }
        return results;
    }

    static Failed Failure(CellError error) => new("error", error.Name, error.Message, [$"{error.Name}: {error.Message}", .. error.Trace]);

    // What the cell's metadata says, where the front-end sends it along; Polyglot Notebooks wrote the newer name beside the older.
    static string? LanguageOf(WireMessage request)
    {
        var said = request.Said("polyglot_notebook", "kernelName") ?? request.Said("dotnet_interactive", "language");
        return said is { ValueKind: System.Text.Json.JsonValueKind.String } name ? LanguageInfo.Find(name.GetString())?.Id ?? name.GetString() : null;
    }

    sealed record Failed(string Status, string Ename, string Evalue, IReadOnlyList<string> Traceback);
}
