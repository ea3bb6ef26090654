using System.Collections.Concurrent;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// Arithmetic of tensors and numbers that is safe from the garbage collector. TorchSharp hands libtorch a number as a Scalar object that it
/// has just made; a collection during the call can finalise that object, and the call then reads freed memory. Its sum of two tensors
/// does so too, for a weight of 1. The Scalars here live as long as the process.
/// </summary>
static class KeptScalar
{
    static readonly ConcurrentDictionary<double, Scalar> Numbers = [];
    static readonly ConcurrentDictionary<long, Scalar> Integers = [];
    static readonly Scalar One = 1;

    /// <summary>The number as a Scalar that is never finalised.</summary>
    public static Scalar Of(double number) => Numbers.GetOrAdd(number, n => n);

    /// <summary>The integer as a Scalar that is never finalised.</summary>
    public static Scalar Of(long number) => Integers.GetOrAdd(number, n => n);

    /// <summary>x + y.</summary>
    public static Tensor Plus(this Tensor x, Tensor y) => x.add(y, One);

    /// <summary>x + y.</summary>
    public static Tensor Plus(this Tensor x, double y) => x.add(Of(y), One);

    /// <summary>x y.</summary>
    public static Tensor Times(this Tensor x, double y) => x.mul(Of(y));

    /// <summary>0, 1, ..., <paramref name="count"/> - 1.</summary>
    public static Tensor Counting(long count, ScalarType type) => arange(Of(0L), Of(count), One, type);

    /// <summary>ln(1 + exp(x)).</summary>
    public static Tensor Softplus(this Tensor x)
    {
        using var scope = NewDisposeScope();
        return maximum(x, x.zeros_like()).Plus(x.abs().neg().exp().log1p()).MoveToOuterDisposeScope();
    }
}
