using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>Where a contiguous float32 tensor's numbers lie. The caller keeps the tensor alive.</summary>
static unsafe class TensorMemory
{
    public static float* First(Tensor x)
    {
        if (x.numel() * x.ElementSize <= int.MaxValue) return Pointer(x);
        using var head = x.view(-1).narrow(0, 0, 1); // a span cannot cover more than 2 GB
        return Pointer(head);
    }

    /// <summary>Rows along the last axis.</summary>
    public static Rows RowsOf(Tensor x) => new(First(x), x.shape[^1]);

    static float* Pointer(Tensor x) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(x.bytes));
}
