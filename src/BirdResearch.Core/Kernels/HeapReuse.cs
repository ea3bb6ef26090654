using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BirdResearch.Kernels;

/// <summary>
/// Lets the C heap keep large blocks that torch frees. glibc would otherwise map every tensor above 32 MB afresh and give it back at
/// once, and the page faults of touching it again cost more than many of the operations on it.
/// </summary>
static class HeapReuse
{
    const int TrimThreshold = -1, MostMaps = -4, MostArenas = -8; // M_TRIM_THRESHOLD, M_MMAP_MAX and M_ARENA_MAX of malloc.h

    [DllImport("libc", EntryPoint = "mallopt")]
    static extern int SetOption(int option, int value);

#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Keep()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("MALLOC_MMAP_MAX_") is not null) return;
        try
        {
            _ = SetOption(TrimThreshold, int.MaxValue);
            _ = SetOption(MostMaps, 0);
            _ = SetOption(MostArenas, 1); // those of other threads than the first hold 64 MB and give back what is freed
        }
        catch (EntryPointNotFoundException)
        {
            // a C library other than glibc: its heap stays as it is
        }
    }
#pragma warning restore CA2255
}
