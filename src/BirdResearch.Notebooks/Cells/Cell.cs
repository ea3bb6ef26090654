namespace BirdResearch.Notebooks.Cells;

/// <summary>The cell that runs now, for code that is called from it.</summary>
public static class Cell
{
    static readonly AsyncLocal<Running?> Now = new();

    /// <summary>Where the running cell's output goes; outside a cell nothing comes of it.</summary>
    public static ICellOutput Output => Now.Value?.Output ?? Nowhere.Instance;

    /// <summary>Whether this flow of control belongs to a cell.</summary>
    internal static bool IsRunning => Now.Value is not null;

    /// <summary>Cancelled when the user interrupts the cell. Whoever takes it promises to stop by it soon, so that the thread is not stopped by force.</summary>
    public static CancellationToken Interruption
    {
        get
        {
            if (Now.Value is not { } running) return CancellationToken.None;
            running.Listens = true;
            return running.Cancellation;
        }
    }

    /// <summary>Enters a cell on this flow of control. Dispose what is returned to leave it.</summary>
    internal static Running Enter(ICellOutput output, CancellationToken cancellation)
    {
        var running = new Running(output, cancellation, Now.Value);
        Now.Value = running;
        return running;
    }

    /// <summary>A cell that runs.</summary>
    internal sealed class Running(ICellOutput output, CancellationToken cancellation, Running? outer) : IDisposable
    {
        /// <summary>Where its output goes.</summary>
        public ICellOutput Output => output;

        /// <summary>Cancelled when it is to stop.</summary>
        public CancellationToken Cancellation => cancellation;

        /// <summary>Whether its code has taken the token.</summary>
        public volatile bool Listens;

        /// <inheritdoc/>
        public void Dispose() => Now.Value = outer;
    }

    /// <summary>Output that nobody sees.</summary>
    internal sealed class Nowhere : ICellOutput
    {
        public static readonly Nowhere Instance = new();

        public void Stream(string name, string text) { }

        public void Display(MimeBundle bundle, string? displayId = null) { }

        public void Update(string displayId, MimeBundle bundle) { }

        public void Clear(bool wait) { }
    }
}
