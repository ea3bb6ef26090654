using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>Sums of complex powers, the kernels of diagonal state spaces.</summary>
public static class PowerSum
{
    /// <summary>
    /// K[l] = Re sum_n w_n exp(l x_n) for l below <paramref name="length"/>. The powers are split in two factors, l = q m + r, so that
    /// memory is of the order of N sqrt(L), not N L.
    /// </summary>
    /// <param name="weights">w, complex (K, H, N).</param>
    /// <param name="logBase">x, complex (H, N).</param>
    /// <param name="length">L.</param>
    /// <returns>(K, H, L)</returns>
    public static Tensor Apply(Tensor weights, Tensor logBase, long length)
    {
        using var scope = NewDisposeScope();
        var block = Math.Max(1, (long)Math.Ceiling(Math.Sqrt(length)));
        var blocks = (length + block - 1) / block;
        var type = logBase.dtype == ScalarType.ComplexFloat64 ? ScalarType.Float64 : ScalarType.Float32;
        var coarse = (logBase.unsqueeze(-2) * KeptScalar.Counting(blocks, type).Times(block).unsqueeze(-1)).exp();     // (H, Q, N)
        var fine = (logBase.unsqueeze(-1) * KeptScalar.Counting(block, type)).exp();                               // (H, N, M)
        var rows = weights.unsqueeze(-2) * coarse;                                                    // (K, H, Q, N)
        // the real part of the complex product, as one real product over real and imaginary parts
        var product = cat([rows.real, -rows.imag], -1).matmul(cat([fine.real, fine.imag], -2));       // (K, H, Q, M)
        return product.flatten(-2, -1).narrow(-1, 0, length).MoveToOuterDisposeScope();
    }
}
