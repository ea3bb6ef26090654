using System.Runtime.InteropServices;

namespace BirdResearch.Kernels;

/// <summary>Aligned working memory of one thread.</summary>
unsafe ref struct Room
{
    readonly float* _first;
    float* _next;

    public Room(long count)
    {
        _first = (float*)NativeMemory.AlignedAlloc((nuint)((count + (64 * 16)) * sizeof(float)), 64);
        _next = _first;
    }

    /// <summary>The next numbers, on a cache line of their own; up to 64 takes of it.</summary>
    public float* Take(long count)
    {
        var taken = _next;
        _next += (count + 15) / 16 * 16;
        return taken;
    }

    public readonly void Dispose() => NativeMemory.AlignedFree(_first);
}
