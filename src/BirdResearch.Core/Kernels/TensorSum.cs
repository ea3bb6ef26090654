using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>The sum of two tensors, safe from the garbage collector.</summary>
static class TensorSum
{
    static readonly Scalar One = 1;

    /// <summary>
    /// x + y. TorchSharp's own operator hands libtorch a weight of 1 that it has just made; a collection during the call frees it, and
    /// the call then reads freed memory.
    /// </summary>
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);
}
