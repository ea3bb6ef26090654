using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// The scan as one node: u, delta, z (B, L, D); A (D, N); B, C (B, L, G, N) or (D, N); D, bias (D). Gives y (B, L, D) and the last state
/// (B, D, N).
/// </summary>
sealed unsafe class ScanOperation(ScanForm form, int groups, bool softplus, bool reverse) : FusedOperation
{
    protected override (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep)
    {
        var problem = Describe(inputs);
        var y = empty_like(inputs[0]!);
        var last = empty(problem.Batch, problem.Channels, problem.States);
        var checkpoints = keep ? empty(problem.CheckpointSize(ScanForms.Width(form))) : null;
        problem.Y = RowsOf(y);
        problem.LastState = First(last);
        if (checkpoints is not null) problem.Checkpoints = First(checkpoints);
        ScanForms.Forward(form, problem);
        GC.KeepAlive(inputs);
        return ([y, last], checkpoints is null ? [] : [checkpoints]);
    }

    protected override Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients)
    {
        if (gradients[0] is not { } given) return [.. inputs.Select(_ => (Tensor?)null)];
        var problem = Describe(inputs);
        problem.Checkpoints = First(saved[0]);
        var (batch, length, channels, states) = (problem.Batch, problem.Length, problem.Channels, problem.States);
        var blocks = problem.Blocks(ScanForms.Width(form));
        var gradY = given.contiguous();
        Tensor du = empty_like(inputs[0]!), dDelta = empty_like(inputs[1]!);
        var dz = inputs[6] is { } z ? empty_like(z) : null;
        var dA = empty(batch, channels, states);
        var dB = problem.ConstantB ? empty(batch, channels, states) : zeros([blocks, batch, length, groups, states]);
        var dC = problem.ConstantC ? empty(batch, channels, states) : zeros([blocks, batch, length, groups, states]);
        var dD = inputs[5] is null ? null : empty(batch, channels);
        var dBias = inputs[7] is null ? null : empty(batch, channels);
        (problem.GradY, problem.GradU, problem.GradDelta) = (RowsOf(gradY), RowsOf(du), RowsOf(dDelta));
        if (dz is not null) problem.GradZ = RowsOf(dz);
        problem.GradA = First(dA);
        if (problem.ConstantB) problem.GradFixedB = First(dB);
        else problem.GradB = new Rows(First(dB), groups * states);
        if (problem.ConstantC) problem.GradFixedC = First(dC);
        else problem.GradC = new Rows(First(dC), groups * states);
        if (dD is not null) problem.GradD = First(dD);
        if (dBias is not null) problem.GradDeltaBias = First(dBias);
        ScanForms.Backward(form, problem);
        GC.KeepAlive((inputs, saved, gradY));
        return [du, dDelta, Summed(dA), Summed(dB), Summed(dC), dD is null ? null : Summed(dD), dz, dBias is null ? null : Summed(dBias)];
    }

    ScanProblem Describe(Tensor?[] inputs)
    {
        var (u, a, b, c) = (inputs[0]!, inputs[2]!, inputs[3]!, inputs[4]!);
        var problem = new ScanProblem
        {
            Batch = (int)u.shape[0],
            Length = (int)u.shape[1],
            Channels = (int)u.shape[2],
            States = (int)a.shape[1],
            Groups = groups,
            Softplus = softplus,
            Reverse = reverse,
            Scale = 1,
            U = RowsOf(u),
            Delta = RowsOf(inputs[1]!),
            A = First(a),
            ConstantB = b.dim() == 2,
            ConstantC = c.dim() == 2,
        };
        if (problem.ConstantB) problem.FixedB = First(b);
        else problem.B = new Rows(First(b), b.shape[2] * b.shape[3]);
        if (problem.ConstantC) problem.FixedC = First(c);
        else problem.C = new Rows(First(c), c.shape[2] * c.shape[3]);
        if (inputs[5] is { } d) problem.D = First(d);
        if (inputs[6] is { } z) problem.Z = RowsOf(z);
        if (inputs[7] is { } bias) problem.DeltaBias = First(bias);
        return problem;
    }

    static Tensor Summed(Tensor partial) => partial.shape[0] == 1 ? partial.squeeze(0) : partial.sum([0L]);
}
