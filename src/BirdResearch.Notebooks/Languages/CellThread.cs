using System.Collections.Concurrent;

namespace BirdResearch.Notebooks.Languages;

/// <summary>The one thread on which a session's cells run, so that what is bound to a thread (torch's gradient mode and thread count) holds from cell to
/// cell, until a cell is stopped by force.</summary>
sealed class CellThread : IDisposable
{
    const int StackSize = 64 << 20;   // the F# compiler recurses deeply

    readonly BlockingCollection<Action> _work = [];
    bool _worn;

    /// <summary>Starts it.</summary>
    public CellThread() => Start();

    /// <summary>Hands what follows to a new thread, from the present one, which the runtime has stopped and can stop only once.</summary>
    public void Renew() => _worn = true;

    /// <summary>Runs something on the thread, after what was asked for before.</summary>
    public Task<T> Run<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var context = ExecutionContext.Capture();
        _work.Add(() =>
        {
            if (context is null) Do();
            else ExecutionContext.Run(context, static me => ((Action)me!)(), (Action)Do);
        });
        return done.Task;

        void Do()
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception e)
            {
                done.TrySetException(e);
            }
        }
    }

    void Start() => new Thread(Loop, StackSize) { IsBackground = true, Name = "Cells" }.Start();

    void Loop()
    {
        foreach (var action in _work.GetConsumingEnumerable())
        {
            action();
            if (!_worn) continue;
            _worn = false;
            SignalMask.Clear();
            Start();
            return;
        }
    }

    /// <summary>Lets the thread end after its work.</summary>
    public void Dispose() => _work.CompleteAdding();
}
