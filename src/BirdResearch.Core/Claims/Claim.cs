using Microsoft.Win32.SafeHandles;

namespace BirdResearch.Claims;

/// <summary>
/// The right to do one piece of work in a folder that several processes, also of several machines, share. It is renewed in the background
/// until it is given back. Whoever may have slept past his lease asks with <see cref="Check"/> before he writes, and with <see cref="Seal"/>
/// before he makes the work known.
/// </summary>
public sealed class Claim : IDisposable
{
    readonly string _path;
    readonly Lock _gate = new();
    readonly CancellationTokenSource _lost = new();
    readonly ManualResetEventSlim _over = new();
    readonly Thread _beating;
    SafeFileHandle _file;
    ClaimNote _note;
    long _generation;

    Claim(string path, long generation, SafeFileHandle file, ClaimNote note)
    {
        (_path, _generation, _file, _note) = (path, generation, file, note);
        ClaimFiles.Write(file, note);
        ClaimFiles.Delete(path, generation - 1);
        _beating = new Thread(Beat) { IsBackground = true, Name = "claim", Priority = ThreadPriority.AboveNormal };
        _beating.Start();
    }

    /// <summary>How often the work was claimed so far: the fencing token, which only ever grows.</summary>
    public long Generation => _generation;

    /// <summary>Who holds it.</summary>
    public ClaimHolder Holder => _note.Holder;

    /// <summary>Cancelled when somebody else is found to have taken it over.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>
    /// Takes a claim that was seen open; null where another was faster. The folder must exist.
    /// </summary>
    /// <param name="seen">How it stood.</param>
    /// <param name="me">Who takes it.</param>
    /// <param name="deaths">Workers of this session that died with it, kept in the note.</param>
    public static Claim? TryTake(ClaimView seen, ClaimHolder me, int deaths = 0)
    {
        if (!seen.IsOpen) return null;
        var generation = seen.Generation + 1;
        if (ClaimFiles.TryCreate(seen.Path, generation) is not { } file) return null;
        var now = DateTime.UtcNow;
        var claim = new Claim(seen.Path, generation, file, new ClaimNote { Holder = me, Since = now, LastBeat = now, Deaths = deaths });
        // What was seen may be long past: others may have taken it on from there, and the file of this generation been removed as old.
        if (ClaimFiles.Latest(seen.Path) == generation) return claim;
        claim.End();
        ClaimFiles.Delete(seen.Path, generation);
        return null;
    }

    /// <summary>
    /// Takes a claim as soon as it is open, and waits while others hold it; null once the work is done.
    /// </summary>
    /// <param name="path">The claim.</param>
    /// <param name="me">Who takes it.</param>
    /// <param name="isDone">Whether nothing is left to do.</param>
    /// <param name="waiting">Told once by whom it is held; null where the note cannot be read yet.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public static Claim? Wait(string path, ClaimHolder me, Func<bool> isDone, Action<ClaimNote?>? waiting = null, CancellationToken cancellation = default)
    {
        var watch = new ClaimWatch(me);
        while (true)
        {
            if (isDone()) return null;
            var view = watch.Look(path);
            if (TryTake(view, me) is { } claim)
            {
                if (!isDone()) return claim;   // the one before may have finished between the two looks
                claim.Complete();
                return null;
            }
            if (!view.IsOpen)
            {
                waiting?.Invoke(view.Note);
                waiting = null;
            }
            Pause(me, cancellation);
        }
    }

    /// <summary>Waits as long as it is sensible between two looks at claims of others.</summary>
    public static void Pause(ClaimHolder me, CancellationToken cancellation)
    {
        if (cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(Math.Clamp(me.LeaseSeconds / 8, 0.05, 2)))) cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>Throws where somebody else has taken it over.</summary>
    public void Check()
    {
        if (_lost.IsCancellationRequested || IsSuperseded()) throw Loss();
    }

    /// <summary>
    /// Takes the next generation too, which nobody else can have afterwards: the last question before the work is made known. Throws where
    /// somebody else has it.
    /// </summary>
    public void Seal()
    {
        lock (_gate)
        {
            Check();
            var next = ClaimFiles.TryCreate(_path, _generation + 1) ?? throw Loss();
            _file.Dispose();
            (_file, _generation) = (next, _generation + 1);
            Renew();
            if (IsSuperseded()) throw Loss();
            ClaimFiles.Delete(_path, _generation - 1);
        }
    }

    /// <summary>Gives it back because the work failed, and says why.</summary>
    public void Fail(string message) => GiveBack(ClaimState.Failed, message);

    /// <summary>Removes it, because the work is done and everybody can see that.</summary>
    public void Complete()
    {
        if (!End()) return;
        if (!IsSuperseded()) ClaimFiles.Delete(_path, _generation);
    }

    /// <summary>Gives it back with the work undone, unless it was given back before.</summary>
    public void Dispose() => GiveBack(ClaimState.Free, "");

    void GiveBack(ClaimState state, string message)
    {
        _over.Set();
        _beating.Join();
        lock (_gate)
        {
            if (_file.IsClosed) return;
            if (!_lost.IsCancellationRequested)
                try
                {
                    ClaimFiles.Write(_file, _note with { State = state, Message = message, LastBeat = DateTime.UtcNow });
                }
                catch (IOException)
                {
                    // Then it runs out by itself.
                }
            _file.Dispose();
        }
    }

    /// <summary>Stops renewing and leaves the file as it is; false where that was done before.</summary>
    bool End()
    {
        _over.Set();
        _beating.Join();
        lock (_gate)
        {
            if (_file.IsClosed) return false;
            _file.Dispose();
            return true;
        }
    }

    void Beat()
    {
        while (!_over.Wait(TimeSpan.FromSeconds(Holder.LeaseSeconds / 4)))
            lock (_gate)
            {
                try
                {
                    Renew();
                    if (!IsSuperseded()) continue;
                    _lost.Cancel();
                    return;
                }
                catch (IOException)
                {
                    // The share may be away for a moment. If it stays away, somebody else takes over, and Check and Seal will tell.
                }
            }
    }

    void Renew()
    {
        _note = _note with { Beat = _note.Beat + 1, LastBeat = DateTime.UtcNow };
        ClaimFiles.Write(_file, _note);
    }

    bool IsSuperseded() => ClaimFiles.Latest(_path) > _generation;

    ClaimLostException Loss()
    {
        _lost.Cancel();
        return new ClaimLostException(
            $"'{Path.GetFileName(_path)}' was taken over by another worker, because {Holder} gave no sign of life for {Holder.LeaseSeconds:0.#} s.");
    }
}
