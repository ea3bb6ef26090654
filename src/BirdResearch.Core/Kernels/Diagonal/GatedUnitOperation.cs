using System.Runtime.Intrinsics;
using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>A gated linear unit as one node: contiguous rows (..., 2H) to (..., H). torch's own backward makes four passes over memory.</summary>
sealed class GatedUnitOperation(ScanForm form) : FusedOperation
{
    protected override (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep)
    {
        var x = inputs[0]!;
        var y = empty([.. x.shape[..^1], x.shape[^1] / 2]);
        if (form == ScanForm.Vector512) GatedRows<Vector512<float>, Lanes512>.Forward(RowsOf(x), RowsOf(y), y.numel() / y.shape[^1], (int)y.shape[^1]);
        else GatedRows<Vector256<float>, Lanes256>.Forward(RowsOf(x), RowsOf(y), y.numel() / y.shape[^1], (int)y.shape[^1]);
        GC.KeepAlive(inputs);
        return ([y], []);
    }

    protected override Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients)
    {
        if (gradients[0] is not { } given) return [null];
        var gradY = given.contiguous();
        var dx = empty_like(inputs[0]!);
        var (rows, width) = (gradY.numel() / gradY.shape[^1], (int)gradY.shape[^1]);
        if (form == ScanForm.Vector512) GatedRows<Vector512<float>, Lanes512>.Backward(RowsOf(inputs[0]!), RowsOf(gradY), RowsOf(dx), rows, width);
        else GatedRows<Vector256<float>, Lanes256>.Backward(RowsOf(inputs[0]!), RowsOf(gradY), RowsOf(dx), rows, width);
        GC.KeepAlive((inputs, gradY));
        return [dx];
    }
}
