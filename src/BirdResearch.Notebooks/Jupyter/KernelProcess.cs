using System.Runtime.InteropServices;
using BirdResearch.Notebooks.Cells;
using NetMQ;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>A process that is a kernel and nothing else: signals, the parent, and the last messages.</summary>
public static class KernelProcess
{
    static readonly TimeSpan LastMessages = TimeSpan.FromSeconds(2);

    /// <summary>Serves until a front-end, SIGTERM or the parent's end says so. SIGINT interrupts the cell that runs and no more.</summary>
    /// <param name="file">Path of the connection file.</param>
    /// <param name="language">Language of cells that name none.</param>
    /// <param name="open">Opens a session in it.</param>
    public static void Serve(string file, LanguageInfo language, Func<INotebookSession> open)
    {
        using var log = new StreamWriter(Console.OpenStandardError()) { AutoFlush = true };
        using (var server = new KernelServer(ConnectionFile.Read(file), language, open, TextWriter.Synchronized(log)))
        {
            HearInterrupts();
            using var interrupt = On(PosixSignal.SIGINT, server.Interrupt);
            using var terminate = On(PosixSignal.SIGTERM, server.Stop);
            ParentWatch.Start(server.Stop);
            server.Run();
        }
        // Bounded, since a front-end that is gone takes no messages any more.
        Task.Run(() => NetMQConfig.Cleanup(block: true)).Wait(LastMessages);
    }

    /// <summary>
    /// A shell without job control starts what follows '&amp;' with SIGINT ignored, every child inherits that, and .NET then leaves the signal alone:
    /// a front-end in the background could interrupt nothing.
    /// </summary>
    static void HearInterrupts()
    {
        if (!OperatingSystem.IsWindows()) _ = SetHandler(SigInt, IntPtr.Zero);
    }

    const int SigInt = 2;

    [DllImport("libc", EntryPoint = "signal")]
    static extern IntPtr SetHandler(int signal, IntPtr handler);

    static PosixSignalRegistration On(PosixSignal signal, Action action) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        action();
    });
}
