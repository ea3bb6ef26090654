using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// All of a Mamba block between its projections in and out, as one node: convolution, SiLU, step size, B and C from each token, scan and
/// gate, in one direction or in several that share input and gate. The step size is never stored; backward scans again from checkpoints.
/// </summary>
public static class MambaInner
{
    /// <summary>Whether the fused form takes these tensors: float32 on the CPU, and no <c>BIRD_SCAN=reference</c>.</summary>
    public static bool Takes(Tensor xz, MambaInnerDirection direction) =>
        ScanForms.Current != ScanForm.Reference && xz.device_type == TorchSharp.DeviceType.CPU
        && xz.dtype == ScalarType.Float32 && direction.XProjection.dtype == ScalarType.Float32;

    /// <summary>The gated output (B, L, D): scale x the sum of the directions' scans x SiLU(z).</summary>
    /// <param name="xz">Input x, then gate z, (B, L, 2D).</param>
    /// <param name="directions">The directions.</param>
    /// <param name="scale">Factor on the sum: 1/2 for Vision Mamba's mean of two.</param>
    /// <param name="bfloat16">Whether the projection to step size, B and C is taken in bfloat16.</param>
    public static Tensor Apply(Tensor xz, IReadOnlyList<MambaInnerDirection> directions, double scale = 1, bool bfloat16 = false)
    {
        using var scope = NewDisposeScope();
        var operation = new MambaOperation(ScanForms.Current, [.. directions.Select(d => d.Reverse)], (float)scale, bfloat16);
        List<Tensor?> inputs = [xz.contiguous()];
        foreach (var d in directions)
            inputs.AddRange([d.ConvWeight.contiguous(), d.ConvBias, d.XProjection, d.DtWeight.contiguous(), d.DtBias, d.ALog.contiguous(), d.D]);
        return operation.Apply([.. inputs])[0].MoveToOuterDisposeScope();
    }
}
