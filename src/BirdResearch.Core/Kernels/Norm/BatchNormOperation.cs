using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// Batch norm in training with its activation as one node: input (B, C, H, W) in channels-last order, weight and bias (C). z is made again on the way
/// back, so that beside the input only two numbers a channel are kept. Running statistics move as torch's do.
/// </summary>
sealed unsafe class BatchNormOperation(
    ScanForm form, NormActivation activation, Tensor runningMean, Tensor runningVariance, double momentum, double epsilon) : FusedOperation
{
    /// <summary>Input and output as rows of channels.</summary>
    internal static Tensor InRows(Tensor image) => image.permute(0, 2, 3, 1);

    protected override (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep)
    {
        Tensor input = inputs[0]!, weight = inputs[1]!, bias = inputs[2]!;
        var output = empty_like(input);
        using Tensor x = InRows(input), y = InRows(output);
        int width = (int)x.shape[3], parts = BatchNormEngine.Parts(RowCount(x), width);
        var moments = empty(2, width);                                               // mean and 1 / deviation of every channel
        using Tensor sums = empty(parts, 2, width), affine = empty(2, width), centre = x.view(-1, width)[0].clone();
        var problem = new BatchNormProblem
        {
            Rows = RowCount(x),
            Width = width,
            Input = RowsOf(x),
            Output = RowsOf(y),
            Affine = First(affine),
            Centre = First(centre),
            Sums = First(sums),
        };
        BatchNormEngine.Run(form, activation, BatchNormPass.Moments, problem);
        Statistics(problem, parts, First(moments), First(weight), First(bias));
        BatchNormEngine.Run(form, activation, BatchNormPass.Forward, problem);
        GC.KeepAlive(inputs);
        return ([output], keep ? [moments] : []);
    }

    /// <summary>Mean and deviation out of the parts' sums, factor and offset from them, and the running statistics' step.</summary>
    void Statistics(BatchNormProblem p, int parts, float* moments, float* weight, float* bias)
    {
        var count = (double)p.Rows;
        float* means = First(runningMean), variances = First(runningVariance);
        for (var c = 0; c < p.Width; c++)
        {
            var (sum, squares) = Totals(p, parts, c);
            var mean = p.Centre[c] + (sum / count);
            var variance = Math.Max(0, (squares / count) - (sum / count * (sum / count)));
            var scale = 1 / Math.Sqrt(variance + epsilon);
            (moments[c], moments[p.Width + c]) = ((float)mean, (float)scale);
            (p.Affine[c], p.Affine[p.Width + c]) = ((float)(weight[c] * scale), (float)(bias[c] - (mean * weight[c] * scale)));
            means[c] = (float)((momentum * mean) + ((1 - momentum) * means[c]));
            variances[c] = (float)((momentum * variance * count / (count - 1)) + ((1 - momentum) * variances[c]));
        }
    }

    // With x^ = (x - mean) s and dz the activation's gradient: db = sum dz, dw = sum dz x^, dx = w s (dz - db / n - x^ dw / n).
    protected override Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients)
    {
        if (gradients[0] is null) return [null, null, null];
        Tensor input = inputs[0]!, moments = saved[0];
        var gradInput = empty_like(input);
        Tensor x = InRows(input), dy = InRows(gradients[0]!).contiguous(), dx = InRows(gradInput);
        int width = (int)x.shape[3], parts = BatchNormEngine.Parts(RowCount(x), width);
        Tensor gradWeight = empty(width), gradBias = empty(width), affine = empty(2, width), corrections = empty(2, width), sums = empty(parts, 2, width);
        float* mean = First(moments), scale = mean + width, weight = First(inputs[1]!), bias = First(inputs[2]!);
        var problem = new BatchNormProblem
        {
            Rows = RowCount(x),
            Width = width,
            Input = RowsOf(x),
            Output = RowsOf(dy),
            GradInput = RowsOf(dx),
            Affine = First(affine),
            Centre = mean,
            Sums = First(sums),
            Corrections = First(corrections),
        };
        for (var c = 0; c < width; c++)
            (problem.Affine[c], problem.Affine[width + c]) =
                (weight[c] * scale[c], (float)(bias[c] - ((double)mean[c] * weight[c] * scale[c])));
        BatchNormEngine.Run(form, activation, BatchNormPass.GradientSums, problem);
        float* dw = First(gradWeight), db = First(gradBias);
        for (var c = 0; c < width; c++)
        {
            var (sum, along) = Totals(problem, parts, c);
            (db[c], dw[c]) = ((float)sum, (float)(along * scale[c]));
            (problem.Corrections[c], problem.Corrections[width + c]) =
                ((float)(sum / problem.Rows), (float)(along * scale[c] * scale[c] / problem.Rows));
        }
        BatchNormEngine.Run(form, activation, BatchNormPass.Backward, problem);
        GC.KeepAlive((inputs, saved, dy, affine, corrections, sums));
        return [gradInput, gradWeight, gradBias];
    }

    static (double First, double Second) Totals(BatchNormProblem p, int parts, int channel)
    {
        var (first, second) = (0.0, 0.0);
        for (var part = 0; part < parts; part++)
        {
            var sums = p.Sums + (2L * part * p.Width);
            first += sums[channel];
            second += sums[p.Width + channel];
        }
        return (first, second);
    }

    static long RowCount(Tensor rows) => rows.numel() / rows.shape[3];
}
