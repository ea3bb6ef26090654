using System.Numerics;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>The sparse convolution as one node, whose only input is the kernel (out, in, k).</summary>
sealed unsafe class SparseConvolutionOperation(SparseSeries series, int stride, int padding) : FusedOperation
{
    const int FramesAtOnce = 16;

    protected override (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep)
    {
        using var scope = NewDisposeScope();
        var weight = inputs[0]!;
        var (width, kernel) = ((int)weight.shape[0], (int)weight.shape[2]);
        var columns = weight.permute(2, 1, 0).contiguous();                            // (k, in, out)
        var frames = 1 + ((series.Frames + (2 * padding) - kernel) / stride);
        var sums = empty(series.Clips, frames, width);
        float* from = TensorMemory.First(columns), to = TensorMemory.First(sums);
        var parts = (frames + FramesAtOnce - 1) / FramesAtOnce;
        OpenMpPool.For(series.Clips * parts, task =>
        {
            var (clip, part) = (task / parts, task % parts);
            for (var frame = part * FramesAtOnce; frame < Math.Min(frames, (part + 1) * FramesAtOnce); frame++)
                SumColumns(clip, (frame * stride) - padding, kernel, width, from, to + ((((long)clip * frames) + frame) * width));
        });
        GC.KeepAlive(columns);
        return ([sums.transpose(1, 2).contiguous().MoveToOuterDisposeScope()], []);    // (B, out, frames)
    }

    protected override Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients)
    {
        if (gradients[0] is not { } given) return [null];
        using var scope = NewDisposeScope();
        var weight = inputs[0]!;
        var (width, kernel, frames) = ((int)weight.shape[0], (int)weight.shape[2], (int)given.shape[2]);
        var rows = given.transpose(1, 2).contiguous();                                 // (B, frames, out)
        var columns = zeros(kernel, series.Rows, width);
        float* from = TensorMemory.First(rows), to = TensorMemory.First(columns);
        OpenMpPool.For(kernel, lag =>
        {
            var own = to + ((long)lag * series.Rows * width);
            for (var clip = 0; clip < series.Clips; clip++)
                for (var frame = 0; frame < frames; frame++)
                {
                    var place = (frame * stride) - padding + lag;
                    if (place < 0 || place >= series.Frames) continue;
                    AddToColumns(series.RowsOf(clip, place), series.ValuesOf(clip, place), from + ((((long)clip * frames) + frame) * width), width, own);
                }
        });
        GC.KeepAlive(rows);
        return [columns.permute(2, 1, 0).contiguous().MoveToOuterDisposeScope()];      // (out, in, k)
    }

    /// <summary>sum[:] = sum over the kernel's frames and their cells of value x column[:], four vectors at a time in registers.</summary>
    void SumColumns(int clip, int first, int kernel, int width, float* columns, float* sum)
    {
        var lanes = Vector<float>.Count;
        var (from, to) = (Math.Max(0, -first), Math.Min(kernel, series.Frames - first));
        var at = 0;
        for (; at <= width - (4 * lanes); at += 4 * lanes)
        {
            Vector<float> a = Vector<float>.Zero, b = a, c = a, d = a;
            for (var lag = from; lag < to; lag++)
            {
                var rows = series.RowsOf(clip, first + lag);
                var values = series.ValuesOf(clip, first + lag);
                var plane = columns + ((long)lag * series.Rows * width) + at;
                for (var i = 0; i < rows.Length; i++)
                {
                    var column = plane + ((long)rows[i] * width);
                    var value = new Vector<float>(values[i]);
                    a = Vector.FusedMultiplyAdd(value, Vector.Load(column), a);
                    b = Vector.FusedMultiplyAdd(value, Vector.Load(column + lanes), b);
                    c = Vector.FusedMultiplyAdd(value, Vector.Load(column + (2 * lanes)), c);
                    d = Vector.FusedMultiplyAdd(value, Vector.Load(column + (3 * lanes)), d);
                }
            }
            a.Store(sum + at);
            b.Store(sum + at + lanes);
            c.Store(sum + at + (2 * lanes));
            d.Store(sum + at + (3 * lanes));
        }
        for (; at < width; at++)
        {
            var rest = 0f;
            for (var lag = from; lag < to; lag++)
            {
                var rows = series.RowsOf(clip, first + lag);
                var values = series.ValuesOf(clip, first + lag);
                for (var i = 0; i < rows.Length; i++) rest += values[i] * columns[(((long)lag * series.Rows) + rows[i]) * width + at];
            }
            sum[at] = rest;
        }
    }

    static void AddToColumns(ReadOnlySpan<int> rows, ReadOnlySpan<float> values, float* gradient, int width, float* columns)
    {
        var lanes = Vector<float>.Count;
        for (var i = 0; i < rows.Length; i++)
        {
            var column = columns + ((long)rows[i] * width);
            var value = new Vector<float>(values[i]);
            var at = 0;
            for (; at <= width - lanes; at += lanes)
                Vector.FusedMultiplyAdd(value, Vector.Load(gradient + at), Vector.Load(column + at)).Store(column + at);
            for (; at < width; at++) column[at] += values[i] * gradient[at];
        }
    }
}
