using System.Runtime.Intrinsics.X86;

namespace BirdResearch.Kernels;

/// <summary>What the processor can do that .NET does not ask it.</summary>
public static class Processor
{
    /// <summary>Its instructions for products of bfloat16 numbers, such as <c>avx512_bf16</c> and <c>amx_bf16</c>; empty where it has none.</summary>
    public static IReadOnlyList<string> Bfloat16 { get; } = Find();

    static IReadOnlyList<string> Find()
    {
        if (!X86Base.IsSupported)
            return File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").Any(l => l.StartsWith("Features", StringComparison.Ordinal) && l.Split(' ').Contains("bf16")) ? ["bf16"] : [];
        if (X86Base.CpuId(0, 0).Eax < 7) return [];
        var (leaves, _, _, extended) = X86Base.CpuId(7, 0);
        var more = leaves >= 1 ? X86Base.CpuId(7, 1).Eax : 0;
        List<string> found = [];
        if ((more & (1 << 5)) != 0) found.Add("avx512_bf16");
        if ((extended & (1 << 22)) != 0) found.Add("amx_bf16");
        return found;
    }
}
