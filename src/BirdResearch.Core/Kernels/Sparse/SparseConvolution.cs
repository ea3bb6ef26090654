using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// A convolution along time whose kernel spans all rows, over a series of which few cells are not zero: each of them adds its own column of
/// the kernel, so that the work goes with the cells and not with the rows.
/// </summary>
public static class SparseConvolution
{
    /// <summary>
    /// Share of cells that are not zero up to which this is faster than the dense convolution, forward and backward (bird bench sparse).
    /// </summary>
    public const double MostShare = 0.15;

    /// <summary>
    /// (B, in, T) and weight (out, in, k) -> (B, out, 1 + (T + 2 padding - k) / stride) where this way is open: float32 on the CPU, few enough cells, no
    /// gradient asked of the series, and <see cref="ScanForms"/> not asking for the reference. Else null.
    /// </summary>
    public static Tensor? Try(Tensor series, Tensor weight, long stride, long padding)
    {
        if (series.requires_grad || weight.dtype != ScalarType.Float32 || ScanForms.Current == ScanForm.Reference) return null;
        return SparseSeries.Of(series, MostShare) is { } sparse ? Apply(sparse, weight, stride, padding) : null;
    }

    /// <summary>The same shape to shape, over cells that are known already.</summary>
    public static Tensor Apply(SparseSeries series, Tensor weight, long stride, long padding)
    {
        if (weight.dim() != 3 || weight.shape[1] != series.Rows)
            throw new ArgumentException($"A kernel ({string.Join(", ", weight.shape)}) does not fit a series of {series.Rows} rows: it must be (out, {series.Rows}, k).");
        if (series.Frames + (2 * padding) < weight.shape[2])
            throw new ArgumentException($"A kernel of {weight.shape[2]} frames is longer than {series.Frames} frames with {padding} of padding at both ends.");
        return new SparseConvolutionOperation(series, (int)stride, (int)padding).Apply(weight)[0];
    }

    /// <summary>The slow twin: torch's dense convolution.</summary>
    public static Tensor Reference(Tensor series, Tensor weight, long stride, long padding) => nn.functional.conv1d(series, weight, stride: stride, padding: padding);
}
