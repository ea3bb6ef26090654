namespace BirdResearch.Notebooks.Languages;

/// <summary>
/// Brings what follows an <c>await</c> back to the cell's thread, where it can be stopped, as long as that thread waits for it. Is the thread busy, as
/// in <c>.Result</c> on a task of the cell's own, the continuation runs on the thread pool, so that a cell never waits for itself.
/// </summary>
sealed class CellContext : SynchronizationContext
{
    static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1);

    readonly object _gate = new();
    readonly Queue<Continuation> _queue = [];
    bool _waiting;
    bool _dropped;

    /// <summary>Starts something and works on what it posts until it is done.</summary>
    public static T Run<T>(Func<Task<T>> start)
    {
        var outer = Current;
        var context = new CellContext();
        SetSynchronizationContext(context);
        var whole = false;
        try
        {
            var task = start();
            if (!task.IsCompleted) context.WorkUntilDone(task);
            whole = true;
            return task.GetAwaiter().GetResult();
        }
        finally
        {
            SetSynchronizationContext(outer);
            if (!whole) context.Drop();
        }
    }

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        var continuation = new Continuation(d, state);
        lock (_gate)
        {
            if (_dropped) return;
            _queue.Enqueue(continuation);
            Monitor.Pulse(_gate);
            if (_waiting) return;
        }
        ThreadPool.UnsafeQueueUserWorkItem(static it => it.Me.TakeOver(it.continuation), (Me: this, continuation), preferLocal: false);
    }

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) => d(state);

    void WorkUntilDone(Task task)
    {
        task.ContinueWith(_ => Wake(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (Next(task) is { } continuation)
            if (continuation.Take()) continuation.Run();
    }

    Continuation? Next(Task task)
    {
        lock (_gate)
        {
            while (true)
            {
                if (task.IsCompleted) return null;
                if (_queue.TryDequeue(out var next)) return next;
                _waiting = true;
                try
                {
                    Monitor.Wait(_gate);
                }
                finally
                {
                    _waiting = false;
                }
            }
        }
    }

    void TakeOver(Continuation continuation)
    {
        SpinWait.SpinUntil(() => continuation.Taken, Patience);
        if (continuation.Take()) continuation.Run();
    }

    void Wake()
    {
        lock (_gate) Monitor.Pulse(_gate);
    }

    // A cell that was stopped does not go on.
    void Drop()
    {
        lock (_gate)
        {
            _dropped = true;
            while (_queue.TryDequeue(out var continuation)) continuation.Take();
        }
    }

    sealed class Continuation(SendOrPostCallback callback, object? state)
    {
        int _taken;

        public bool Taken => Volatile.Read(ref _taken) != 0;

        public bool Take() => Interlocked.Exchange(ref _taken, 1) == 0;

        public void Run() => callback(state);
    }
}
