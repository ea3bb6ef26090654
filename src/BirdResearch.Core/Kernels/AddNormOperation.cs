using System.Runtime.Intrinsics;
using TorchSharp;
using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// <see cref="AddNorm"/> as one node: residual, <paramref name="added"/> terms, then weight and bias of every norm, all contiguous, to the
/// sum, where it is asked for, and its norms.
/// </summary>
sealed unsafe class AddNormOperation(ScanForm form, int added, float scale, float epsilon, bool givesSum) : FusedOperation
{
    readonly Scalar _scale = scale;

    protected override (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep)
    {
        var sum = empty_like(inputs[0]!);
        var norms = NormsOf(inputs);
        Tensor[] normed = [.. norms.Select(_ => empty_like(sum))];
        var moments = keep ? empty([RowCount(sum), 2]) : null;
        var problem = new AddNormProblem
        {
            Rows = RowCount(sum),
            Width = (int)sum.shape[^1],
            Scale = scale,
            Epsilon = epsilon,
            Terms = [.. inputs[..(1 + added)].Select(t => RowsOf(t!))],
            Sum = RowsOf(sum),
            Moments = moments is null ? default : RowsOf(moments),
            Weights = Pointers(norms, n => n.Weight),
            Biases = Pointers(norms, n => n.Bias),
            Normed = [.. normed.Select(RowsOf)],
        };
        if (form == ScanForm.Vector512) AddNormRows<Vector512<float>, Lanes512>.Forward(problem);
        else AddNormRows<Vector256<float>, Lanes256>.Forward(problem);
        GC.KeepAlive(inputs);
        return (givesSum ? [sum, .. normed] : normed, moments is null ? [] : [sum.detach(), moments]); // an output that is saved would keep its own node alive
    }

    protected override Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients)
    {
        if (!givesSum) gradients = [null, .. gradients];
        var all = new Tensor?[inputs.Length];
        var (sum, moments, norms) = (saved[0], saved[1], NormsOf(inputs));
        var gradSum = gradients[0]?.contiguous();
        var asked = Enumerable.Range(0, norms.Length).Where(n => gradients[1 + n] is not null).ToArray();
        if (asked.Length == 0) return gradSum is null ? all : Fill(all, gradSum, scale == 1 ? gradSum : gradSum.mul(_scale));
        Tensor[] given = [.. asked.Select(n => gradients[1 + n]!.contiguous())];
        var (width, parts) = (sum.shape[^1], form == ScanForm.Vector512 ? AddNormRows<Vector512<float>, Lanes512>.Parts(RowCount(sum)) : AddNormRows<Vector256<float>, Lanes256>.Parts(RowCount(sum)));
        var term = empty_like(sum);
        var scaled = scale == 1 ? term : empty_like(sum);
        var ofNorms = empty(parts, asked.Length, 2, width);
        var problem = new AddNormProblem
        {
            Rows = RowCount(sum),
            Width = (int)width,
            Scale = scale,
            Sum = RowsOf(sum),
            Moments = RowsOf(moments),
            Weights = Pointers([.. asked.Select(n => norms[n])], n => n.Weight),
            Normed = [.. given.Select(RowsOf)],
            GradSum = gradSum is null ? default : RowsOf(gradSum),
            GradTerm = RowsOf(term),
            GradScaled = scale == 1 ? default : RowsOf(scaled),
            GradNorms = First(ofNorms),
        };
        if (form == ScanForm.Vector512) AddNormRows<Vector512<float>, Lanes512>.Backward(problem);
        else AddNormRows<Vector256<float>, Lanes256>.Backward(problem);
        GC.KeepAlive((inputs, saved, given, gradSum));
        var summed = ofNorms.sum([0L]);                                                         // (norms, 2, width)
        for (var i = 0; i < asked.Length; i++)
            for (var part = 0; part < 2; part++) all[1 + added + (2 * asked[i]) + part] = summed.select(0, i).select(0, part);
        return Fill(all, term, scaled);
    }

    Tensor?[] Fill(Tensor?[] all, Tensor term, Tensor residual)
    {
        all[0] = residual;
        for (var i = 1; i <= added; i++) all[i] = term;
        return all;
    }

    (Tensor Weight, Tensor Bias)[] NormsOf(Tensor?[] inputs) =>
        [.. Enumerable.Range(0, (inputs.Length - 1 - added) / 2).Select(n => (inputs[1 + added + (2 * n)]!, inputs[2 + added + (2 * n)]!))];

    static float*[] Pointers((Tensor Weight, Tensor Bias)[] norms, Func<(Tensor Weight, Tensor Bias), Tensor> which)
    {
        var pointers = new float*[norms.Length];
        for (var n = 0; n < pointers.Length; n++) pointers[n] = First(which(norms[n]));
        return pointers;
    }

    static long RowCount(Tensor x) => x.numel() / x.shape[^1];
}
