using System.Runtime.Intrinsics;
using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>A diagonal scan as one node: u (B, L, H), bases (2, N, H), weights (directions, 2, N, H), D (H), all contiguous, to y (B, L, H).</summary>
sealed unsafe class DiagonalScanOperation(ScanForm form, bool gelu) : FusedOperation
{
    protected override (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep)
    {
        var problem = Describe(inputs);
        var y = empty_like(inputs[0]!);
        var sum = gelu && keep ? empty_like(y) : null;
        problem.Y = RowsOf(y);
        if (sum is not null) problem.Sum = RowsOf(sum);
        if (form == ScanForm.Vector512) DiagonalEngine<Vector512<float>, Lanes512>.Forward(problem);
        else DiagonalEngine<Vector256<float>, Lanes256>.Forward(problem);
        GC.KeepAlive(inputs);
        return ([y], sum is null ? [] : [sum]);
    }

    protected override Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients)
    {
        if (gradients[0] is not { } given) return [null, null, null, null];
        var problem = Describe(inputs);
        var gradY = given.contiguous();
        var du = empty_like(inputs[0]!);
        Tensor dBases = empty([problem.Batch, .. inputs[1]!.shape]), dWeights = empty([problem.Batch, .. inputs[2]!.shape]), dSkip = empty(problem.Batch, problem.Channels);
        (problem.GradY, problem.GradU) = (RowsOf(gradY), RowsOf(du));
        problem.GradBases = First(dBases);
        problem.GradWeights = First(dWeights);
        problem.GradSkip = First(dSkip);
        if (gelu) problem.Sum = RowsOf(saved[0]);
        if (form == ScanForm.Vector512) DiagonalEngine<Vector512<float>, Lanes512>.Backward(problem);
        else DiagonalEngine<Vector256<float>, Lanes256>.Backward(problem);
        GC.KeepAlive((inputs, saved, gradY));
        return [du, dBases.sum([0L]), dWeights.sum([0L]), dSkip.sum([0L])];
    }

    DiagonalProblem Describe(Tensor?[] inputs)
    {
        Tensor u = inputs[0]!, bases = inputs[1]!, weights = inputs[2]!;
        return new DiagonalProblem
        {
            Batch = (int)u.shape[0],
            Length = (int)u.shape[1],
            Channels = (int)u.shape[2],
            States = (int)bases.shape[1],
            Directions = (int)weights.shape[0],
            Gelu = gelu,
            U = RowsOf(u),
            Bases = First(bases),
            Weights = First(weights),
            Skip = First(inputs[3]!),
        };
    }
}
