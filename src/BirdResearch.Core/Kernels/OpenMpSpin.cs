using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace BirdResearch.Kernels;

/// <summary>
/// Shortens the busy waiting of libtorch's OpenMP threads. By default they spin for milliseconds; with any other load on the cores
/// a spinning thread takes the time slice of one that works, and a training step was seen to slow down a hundredfold. Spinning for
/// some microseconds keeps nearly all of the speed on a quiet machine.
/// </summary>
static class OpenMpSpin
{
    const string SpinCount = "10000";

    [DllImport("libc", EntryPoint = "setenv")]
    static extern int SetEnvironment(string name, string value, int overwrite);

    // libgomp reads the C environment when it is loaded, which .NET's own SetEnvironmentVariable does not reach.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Shorten()
    {
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null) _ = SetEnvironment("GOMP_SPINCOUNT", SpinCount, 0);
    }
#pragma warning restore CA2255
}
