using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// Diagonal state spaces whose matrices are the same at every token (S4D), as a recurrence over complex states: h_t = a h_{t-1} + u_t,
/// y_t = Re sum_n w_n h_n,t + D u_t, and with weights of the future also + Re sum_n v_n g_n,t with g_t = a g_{t+1} + u_{t+1}. It costs six
/// multiply-adds per token, channel and complex state and no exponential, and keeps no states for its backward.
/// </summary>
public static class DiagonalScan
{
    /// <summary>Scans with the fastest form that this machine and these inputs allow (as <see cref="ScanForms"/>); gradients flow to every input.</summary>
    /// <param name="u">Input, (B, L, H).</param>
    /// <param name="logBase">Logarithms of a, complex (H, N), real parts below zero.</param>
    /// <param name="weights">w, and v where the future counts: complex (1 or 2, H, N).</param>
    /// <param name="skip">D, (H).</param>
    /// <param name="gelu">Whether GELU is taken of the output.</param>
    /// <returns>(B, L, H)</returns>
    public static Tensor Apply(Tensor u, Tensor logBase, Tensor weights, Tensor skip, bool gelu = false)
    {
        Check(u, logBase, weights, skip);
        var form = ScanForms.Current;
        if (form == ScanForm.Reference || u.dtype != ScalarType.Float32 || skip.dtype != ScalarType.Float32 || u.device_type != DeviceType.CPU)
            return Reference(u, logBase, weights, skip, gelu);
        using var scope = NewDisposeScope();
        var bases = Planes(logBase.exp());                                                      // (2, N, H)
        var planes = Planes(weights);                                                           // (1|2, 2, N, H)
        return new DiagonalScanOperation(form, gelu).Apply(u.contiguous(), bases, planes, skip.contiguous())[0].MoveToOuterDisposeScope();
    }

    /// <summary>The same as long convolutions in plain torch operations: any floating type, slow, the measure of the other forms.</summary>
    public static Tensor Reference(Tensor u, Tensor logBase, Tensor weights, Tensor skip, bool gelu = false)
    {
        using var scope = NewDisposeScope();
        var x = u.transpose(1, 2);                                                              // (B, H, L)
        var kernels = PowerSum.Apply(weights, logBase, x.shape[2]);                             // (1|2, H, L)
        var future = kernels.shape[0] == 2 ? kernels.narrow(0, 1, 1) : null;
        var y = FourierConvolution.Apply(x, kernels.narrow(0, 0, 1), future).squeeze(1);
        y = y.Plus(x * skip.unsqueeze(-1));
        if (gelu) y = nn.functional.gelu(y);
        return y.transpose(1, 2).MoveToOuterDisposeScope();
    }

    static Tensor Planes(Tensor numbers) => stack([numbers.real, numbers.imag], -3).transpose(-1, -2).contiguous();

    static void Check(Tensor u, Tensor logBase, Tensor weights, Tensor skip)
    {
        if (u.shape is [_, >= 1, var channels] && logBase.shape is [var rows, var states] && rows == channels
            && weights.shape is [1 or 2, var outputs, var each] && outputs == channels && each == states && skip.shape is [var skips] && skips == channels)
            return;
        throw new ArgumentException(
            $"A diagonal scan takes u (B, L, H), bases (H, N), weights (1 or 2, H, N) and D (H), but got ({string.Join(", ", u.shape)}), " +
            $"({string.Join(", ", logBase.shape)}), ({string.Join(", ", weights.shape)}) and ({string.Join(", ", skip.shape)}).");
    }
}
