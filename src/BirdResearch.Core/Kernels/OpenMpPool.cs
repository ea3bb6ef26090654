using System.Runtime.InteropServices;
using TorchSharp;

namespace BirdResearch.Kernels;

/// <summary>
/// Runs loops on the threads that libtorch's own operations run on. Two pools on the same cores would wait for each other: a step was
/// seen to take twenty times as long.
/// </summary>
public static unsafe class OpenMpPool
{
    static readonly delegate* unmanaged<delegate* unmanaged<Loop*, void>, Loop*, uint, uint, void> Fork = Find();

    /// <summary>Whether libtorch's pool was found; otherwise loops run on .NET's.</summary>
    public static bool IsShared => Fork is not null;

    /// <summary>
    /// Calls <paramref name="body"/> once for every index below <paramref name="count"/>, on as many threads as torch uses. Indices are
    /// handed out one by one as threads become free, so a body must not depend on their order.
    /// </summary>
    public static void For(int count, Action<int> body)
    {
        var threads = Math.Min(torch.get_num_threads(), count);
        if (threads <= 1)
        {
            for (var i = 0; i < count; i++) body(i);
            return;
        }
        if (Fork is null)
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
            return;
        }
        var work = new Work(body);
        var handle = GCHandle.Alloc(work);
        try
        {
            var loop = new Loop { Count = count, Work = GCHandle.ToIntPtr(handle) };
            Fork(&Run, &loop, (uint)threads, 0);
        }
        finally
        {
            handle.Free();
        }
        if (work.Failure is { } failure) throw new AggregateException(failure);
    }

    [UnmanagedCallersOnly]
    static void Run(Loop* loop)
    {
        var work = (Work)GCHandle.FromIntPtr(loop->Work).Target!;
        try
        {
            for (int i; (i = Interlocked.Increment(ref loop->Next) - 1) < loop->Count;) work.Body(i);
        }
        catch (Exception e) // must not reach native code
        {
            work.Failure = e;
            Volatile.Write(ref loop->Next, loop->Count);
        }
    }

    static delegate* unmanaged<delegate* unmanaged<Loop*, void>, Loop*, uint, uint, void> Find()
    {
        if (!OperatingSystem.IsLinux()) return null;
        _ = torch.get_num_threads(); // loads libtorch and its OpenMP
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "libgomp*.so*"))
            if (NativeLibrary.TryLoad(file, out var library) && NativeLibrary.TryGetExport(library, "GOMP_parallel", out var fork))
                return (delegate* unmanaged<delegate* unmanaged<Loop*, void>, Loop*, uint, uint, void>)fork;
        return null;
    }

    sealed class Work(Action<int> body)
    {
        public Action<int> Body { get; } = body;
        public Exception? Failure { get; set; }
    }

    struct Loop
    {
        public int Next;
        public int Count;
        public nint Work;
    }
}
