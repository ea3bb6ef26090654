using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace BirdResearch.Notebooks.Jupyter;

/// <summary>
/// Tells when the program that started this one is gone. Jupyter names it in <c>JPY_PARENT_PID</c> (on Windows a handle); else it is the
/// parent as the system knows it.
/// </summary>
public static class ParentWatch
{
    /// <summary>Looks once a second; calls <paramref name="gone"/> once. Does nothing where there is no parent to speak of.</summary>
    public static void Start(Action gone)
    {
        if (Watched() is not { } isGone) return;
        new Thread(() =>
        {
            while (!isGone()) Thread.Sleep(1000);
            gone();
        })
        { IsBackground = true, Name = "parent watch" }.Start();
    }

    static Func<bool>? Watched()
    {
        var named = long.TryParse(Environment.GetEnvironmentVariable("JPY_PARENT_PID"), out var number) && number > 0 ? number : 0;
        if (OperatingSystem.IsWindows())
        {
            if (named == 0) return null;
            var parent = new ManualResetEvent(false) { SafeWaitHandle = new SafeWaitHandle((nint)named, ownsHandle: false) };
            return () => parent.WaitOne(0);
        }
        // A parent that died stays in the table until it is waited for, but its children are given away at once. Where a program stands
        // between it and us, there is only the table to look into.
        var first = ParentId();
        if (named != 0 && named != first) return () => !IsAlive((int)named);
        return first <= 1 ? null : () => ParentId() != first;
    }

    static bool IsAlive(int id)
    {
        try
        {
            using var process = Process.GetProcessById(id);
            return !OperatingSystem.IsLinux() || !File.ReadAllText($"/proc/{id}/stat").Contains(") Z ");
        }
        catch (Exception e) when (e is ArgumentException or IOException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "getppid")]
    static extern int ParentId();
}
