using System.Runtime.InteropServices;

namespace BirdResearch.Notebooks.Languages;

/// <summary>
/// Makes a thread that the runtime has stopped fit to start another. On Unix .NET 10 stops a thread by throwing out of a signal handler. That signal
/// then stays blocked in the thread, and in every thread that it starts, which could never be stopped.
/// </summary>
static class SignalMask
{
    const int LargestSet = 128;   // bytes of glibc's sigset_t; musl's and macOS's are smaller

    /// <summary>Unblocks every signal in the calling thread, as .NET starts its threads.</summary>
    public static void Clear()
    {
        if (OperatingSystem.IsWindows()) return;
        _ = SetMask(OperatingSystem.IsMacOS() ? 3 : 2, new byte[LargestSet], IntPtr.Zero);
    }

    [DllImport("libc", EntryPoint = "pthread_sigmask")]
    static extern int SetMask(int setMask, byte[] signals, IntPtr before);
}
