using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace BirdResearch.Experiments;

/// <summary>What a number was measured on.</summary>
/// <param name="Cpu">Processor name.</param>
/// <param name="Cores">Logical cores.</param>
/// <param name="Threads">Threads that torch uses.</param>
/// <param name="MemoryGb">Memory that the process may use, in GiB.</param>
/// <param name="System">Operating system.</param>
/// <param name="Runtime">.NET version.</param>
/// <param name="TorchSharp">TorchSharp version.</param>
/// <param name="BirdResearch">Version of this program, with the commit it was built from.</param>
public sealed record Machine(
    string Cpu, int Cores, int Threads, double MemoryGb, string System, string Runtime, string TorchSharp, string BirdResearch)
{
    /// <summary>This machine.</summary>
    public static Machine Current() => new(
        CpuName(),
        Environment.ProcessorCount,
        torch.get_num_threads(),
        Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1024.0 / 1024 / 1024, 1),
        RuntimeInformation.OSDescription,
        RuntimeInformation.FrameworkDescription,
        VersionOf(typeof(torch).Assembly),
        VersionOf(typeof(Machine).Assembly));

    static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? assembly.GetName().Version!.ToString();

    static string CpuName()
    {
        const string CpuInfo = "/proc/cpuinfo";
        if (!File.Exists(CpuInfo)) return RuntimeInformation.ProcessArchitecture.ToString();
        var line = File.ReadLines(CpuInfo).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
        return line?[(line.IndexOf(':') + 1)..].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
    }
}
