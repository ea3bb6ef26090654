using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// Batch norm followed by an activation over an image batch in channels-last order: forward in two passes over memory and backward in two, where torch
/// takes three and five; in evaluation one pass instead of two.
/// </summary>
static unsafe class FusedBatchNorm
{
    /// <summary>
    /// act(weight (x - mean) / sqrt(variance + epsilon) + bias) over x (B, C, H, W), or null where there is no fused form: float32 on the CPU, in
    /// channels-last order, in training with an activation or without gradient.
    /// </summary>
    /// <param name="x">What is normalised.</param>
    /// <param name="runningMean">Running mean (C); training moves it.</param>
    /// <param name="runningVariance">Running variance (C); training moves it.</param>
    /// <param name="weight">Factor (C).</param>
    /// <param name="bias">Offset (C).</param>
    /// <param name="training">Whether the batch's own statistics are taken.</param>
    /// <param name="momentum">Share of the batch in the running statistics.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="activation">What follows.</param>
    /// <param name="overwrites">Whether evaluation may put the result where x was; x then stands for the same values.</param>
    public static Tensor? Apply(
        Tensor x, Tensor runningMean, Tensor runningVariance, Tensor weight, Tensor bias, bool training, double momentum, double epsilon,
        NormActivation activation, bool overwrites = false)
    {
        var form = ScanForms.Current;
        if (form == ScanForm.Reference || x.dim() != 4 || x.dtype != ScalarType.Float32 || weight.dtype != ScalarType.Float32 || x.device_type != TorchSharp.DeviceType.CPU) return null;
        if (x.shape[1] < 2 || !IsChannelsLast(x)) return null;
        if (!training) return is_grad_enabled() ? null : Evaluate(form, x, runningMean, runningVariance, weight, bias, epsilon, activation, overwrites);
        if (activation == NormActivation.None) return null; // torch takes no more passes then
        if (x.numel() == x.shape[1]) return null; // torch says what is wrong with a single value per channel
        using var scope = NewDisposeScope();
        var operation = new BatchNormOperation(form, activation, runningMean, runningVariance, momentum, epsilon);
        return operation.Apply(x, weight, bias)[0].MoveToOuterDisposeScope();
    }

    static bool IsChannelsLast(Tensor x)
    {
        using var rows = BatchNormOperation.InRows(x);
        return rows.is_contiguous();
    }

    static Tensor Evaluate(
        ScanForm form, Tensor input, Tensor runningMean, Tensor runningVariance, Tensor weight, Tensor bias, double epsilon, NormActivation activation,
        bool overwrites)
    {
        using var scope = NewDisposeScope();
        var output = overwrites ? input.alias() : empty_like(input);
        Tensor x = BatchNormOperation.InRows(input), y = BatchNormOperation.InRows(output), affine = empty(2, input.shape[1]);
        var width = (int)input.shape[1];
        float* mean = First(runningMean), variance = First(runningVariance), w = First(weight), b = First(bias), factor = First(affine);
        for (var c = 0; c < width; c++)
        {
            var scale = w[c] / Math.Sqrt(variance[c] + epsilon);
            (factor[c], factor[width + c]) = ((float)scale, (float)(b[c] - (mean[c] * scale)));
        }
        BatchNormEngine.Run(form, activation, BatchNormPass.Forward, new BatchNormProblem
        {
            Rows = input.numel() / width,
            Width = width,
            Input = RowsOf(x),
            Output = RowsOf(y),
            Affine = factor,
        });
        GC.KeepAlive((x, y, affine));
        return output.MoveToOuterDisposeScope();
    }
}
