using System.Runtime;
using System.Runtime.ExceptionServices;
using BirdResearch.Notebooks.Cells;

namespace BirdResearch.Notebooks.Languages;

/// <summary>
/// How a running cell is stopped. It is asked first; where its code does not listen, its thread is stopped after a short grace. Code that listens
/// is left alone until <see cref="Force"/>, because a stopped thread leaves whatever it was writing half written. What stands in <c>finally</c> runs,
/// and locks are given back, except (seen on .NET 10) around a loop that is quite empty.
/// </summary>
sealed class Interruption : IDisposable
{
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(0.5);

    readonly Cell.Running _running;
    readonly CancellationToken _asked;
    readonly CancellationTokenSource _force = new();
    readonly CancellationTokenRegistration _registration;
    volatile Thread? _thread;
    volatile bool _forcing;
    volatile bool _forced;

    /// <summary>Starts to wait for the request.</summary>
    public Interruption(Cell.Running running, CancellationToken asked)
    {
        (_running, _asked) = (running, asked);
        _registration = asked.UnsafeRegister(static me => _ = ((Interruption)me!).AfterGrace(), this);
    }

    /// <summary>Does something that shows nothing and that nobody asks to stop, and leaves the cell that runs as it was.</summary>
    public static T Unasked<T>(Func<Interruption, T> work)
    {
        using var running = Cell.Enter(Cell.Nowhere.Instance, CancellationToken.None);
        using var interruption = new Interruption(running, CancellationToken.None);
        return work(interruption);
    }

    /// <summary>Whether the cell is to end.</summary>
    public bool Asked => _asked.IsCancellationRequested || _forced;

    /// <summary>Whether a thread was stopped.</summary>
    public bool Forced => _forced;

    /// <summary>Cancelled when the user asks for an end; for compilers.</summary>
    public CancellationToken Token => _asked;

    /// <summary>Stops the thread now.</summary>
    public void Force()
    {
        _forcing = _forced = true;
        _thread?.Interrupt();   // ends waits, which the runtime does not always do for a thread that is to be stopped
        _force.Cancel();
        _forcing = false;
    }

    /// <summary>Runs something that may be stopped anywhere.</summary>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public T Run<T>(Func<T> code)
    {
        var result = default(T)!;
        ExceptionDispatchInfo? thrown = null;
        _thread = Thread.CurrentThread;
        try
        {
#pragma warning disable SYSLIB0046 // Stopping a thread anywhere can harm what it was at. A user who interrupts an endless loop wants that rather than a lost kernel.
            ControlledExecution.Run(Guarded, _force.Token);
#pragma warning restore SYSLIB0046
        }
        finally
        {
            Leave();
        }
        thrown?.Throw();
        return result;

        void Guarded()
        {
            try
            {
                result = code();
            }
            catch (Exception e) when (e is not ThreadAbortException)
            {
                thrown = ExceptionDispatchInfo.Capture(e);
            }
        }
    }

    // An interruption that came too late would end the next wait of this thread.
    void Leave()
    {
        _thread = null;
        while (_forcing) Thread.SpinWait(20);
        if (!_forced) return;
        try
        {
            Thread.Sleep(1);
        }
        catch (ThreadInterruptedException)
        {
            // This was it.
        }
    }

    async Task AfterGrace()
    {
        await Task.Delay(Grace, CancellationToken.None).ConfigureAwait(false);
        if (!_running.Listens && _thread is not null) Force();
    }

    /// <inheritdoc/>
    public void Dispose() => _registration.Dispose();
}
