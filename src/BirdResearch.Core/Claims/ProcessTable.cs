namespace BirdResearch.Claims;

/// <summary>What the kernel knows of processes, so that a dead worker of this machine need not be waited for. Only Linux tells.</summary>
static class ProcessTable
{
    const int StateField = 0, StartField = 19;   // of /proc/<pid>/stat, counted behind the name, which may hold spaces

    /// <summary>Names this start of this kernel and this namespace of process numbers; empty where the system does not tell.</summary>
    public static string Space { get; } = OperatingSystem.IsLinux() ? FindSpace() : "";

    /// <summary>When a process of this machine began; null where there is none, or none that still runs.</summary>
    public static string? StartOf(int process)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{process}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[StateField] is "Z" or "X" ? null : fields[StartField];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>Whether a holder is known to be dead: it ran where this process runs, and does not run any more.</summary>
    public static bool IsGone(ClaimHolder holder) =>
        Space.Length > 0 && holder.ProcessSpace == Space && holder.ProcessStart.Length > 0 && StartOf(holder.ProcessId) != holder.ProcessStart;

    static string FindSpace()
    {
        try
        {
            var names = new FileInfo("/proc/self/ns/pid").LinkTarget;
            return names is null ? "" : $"{File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim()} {names}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
