using static BirdResearch.Kernels.TensorMemory;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>The node of <see cref="MambaInner"/>: xz, then seven weights for each direction.</summary>
sealed unsafe class MambaOperation(ScanForm form, bool[] reversed, float scale, bool bfloat16) : FusedOperation
{
    const int Weights = 7, Kept = 4;

    protected override (Tensor[] Outputs, Tensor[] Saved) Forward(Tensor?[] inputs, bool keep)
    {
        var xz = inputs[0]!;
        var (batch, length, channels) = (xz.shape[0], xz.shape[1], xz.shape[2] / 2);
        var y = empty(batch, length, channels);
        var saved = new List<Tensor>();
        for (var i = 0; i < reversed.Length; i++)
        {
            var w = new DirectionWeights(inputs.AsSpan(1 + (i * Weights), Weights));
            var u = empty(batch, length, channels);
            var convolution = Convolution(xz, w, reversed[i]);
            convolution.Y = RowsOf(u);
            ScanForms.Convolve(form, convolution);

            var projected = Product(u.view(-1, channels), w.XProjection.t());                   // (BL, R + 2N)
            var a = w.ALog.exp().neg_();
            var scan = Scan(xz, w, reversed[i], u, projected, a);
            var checkpoints = keep ? empty(scan.CheckpointSize(ScanForms.Width(form))) : null;
            if (checkpoints is not null) scan.Checkpoints = First(checkpoints);
            scan.Y = RowsOf(y);
            scan.AddToY = i > 0;
            if (i < reversed.Length - 1) (scan.Z, scan.Scale) = (default, 1);                    // the gate closes the last direction
            ScanForms.Forward(form, scan);
            if (checkpoints is not null) saved.AddRange([u, projected, a, checkpoints]);
        }
        GC.KeepAlive(inputs);
        return ([y], [.. saved]);
    }

    protected override Tensor?[] Backward(Tensor?[] inputs, Tensor[] saved, Tensor?[] gradients)
    {
        if (gradients[0] is not { } given) return [.. inputs.Select(_ => (Tensor?)null)];
        var xz = inputs[0]!;
        var (dY, dXz) = (given.contiguous(), empty_like(xz));
        var all = new Tensor?[inputs.Length];
        all[0] = dXz;
        for (var i = 0; i < reversed.Length; i++)
        {
            var w = new DirectionWeights(inputs.AsSpan(1 + (i * Weights), Weights));
            var gate = reversed.Length == 1 ? GateGradient.Whole : i == 0 ? GateGradient.First : i == reversed.Length - 1 ? GateGradient.Last : GateGradient.Middle;
            DirectionBackward(xz, w, i, saved.AsSpan(i * Kept, Kept), dY, dXz, gate).CopyTo(all, 1 + (i * Weights));
        }
        GC.KeepAlive((inputs, saved, dY));
        return all;
    }

    Tensor?[] DirectionBackward(Tensor xz, DirectionWeights w, int index, ReadOnlySpan<Tensor> saved, Tensor dY, Tensor dXz, GateGradient gate)
    {
        var (u, projected, a, checkpoints) = (saved[0], saved[1], saved[2], saved[3]);
        var scan = Scan(xz, w, reversed[index], u, projected, a);
        long batch = scan.Batch, length = scan.Length, channels = scan.Channels, rank = scan.Rank, states = scan.States;
        var width = projected.shape[1];
        var slabs = empty([scan.Blocks(ScanForms.Width(form)), batch * length, width]);
        Tensor dU = empty_like(u), dA = empty(batch, channels, states), dD = empty(batch, channels), dBias = empty(batch, channels), dDt = empty(batch, channels, rank);
        scan.Checkpoints = First(checkpoints);
        (scan.GradY, scan.GradU) = (RowsOf(dY), RowsOf(dU));
        (scan.GradZ, scan.Gate) = (new Rows(First(dXz) + channels, 2 * channels), gate);
        (scan.GradLowRank, scan.GradB, scan.GradC) = (RowsOf(slabs), new Rows(First(slabs) + rank, width), new Rows(First(slabs) + rank + states, width));
        scan.GradA = First(dA);
        scan.GradD = First(dD);
        scan.GradDeltaBias = First(dBias);
        scan.GradLowRankWeight = First(dDt);
        ScanForms.Backward(form, scan);

        var dProjected = slabs.shape[0] == 1 ? slabs.squeeze(0) : slabs.sum([0L]);                // (BL, R + 2N)
        var dXProjection = Product(dProjected.t(), u.view(-1, channels));
        if (bfloat16) dU = dU.Plus(Product(dProjected, w.XProjection).view_as(dU));
        else dU.view(-1, channels).addmm_(dProjected, w.XProjection);

        var convolution = Convolution(xz, w, reversed[index]);
        Tensor dWeight = empty(batch, channels, convolution.Kernel), dConvBias = empty(batch, channels);
        convolution.GradY = RowsOf(dU);
        (convolution.GradX, convolution.AddToGradX) = (new Rows(First(dXz), 2 * channels), index > 0);
        convolution.GradWeight = First(dWeight);
        if (w.ConvBias is not null) convolution.GradBias = First(dConvBias);
        ScanForms.ConvolveBackward(form, convolution);
        return
        [
            dWeight.sum([0L]).unsqueeze(1), w.ConvBias is null ? null : dConvBias.sum([0L]), dXProjection, dDt.sum([0L]), dBias.sum([0L]),
            dA.sum([0L]).mul_(a), dD.sum([0L]),
        ];
    }

    ScanProblem Scan(Tensor xz, DirectionWeights w, bool reverse, Tensor u, Tensor projected, Tensor a)
    {
        var (rank, states, channels, width) = (w.DtWeight.shape[1], a.shape[1], u.shape[2], projected.shape[1]);
        return new ScanProblem
        {
            Batch = (int)u.shape[0],
            Length = (int)u.shape[1],
            Channels = (int)channels,
            States = (int)states,
            Groups = 1,
            Rank = (int)rank,
            Softplus = true,
            Reverse = reverse,
            Scale = scale,
            U = RowsOf(u),
            LowRank = RowsOf(projected),
            LowRankWeight = First(w.DtWeight),
            DeltaBias = First(w.DtBias),
            A = First(a),
            B = new Rows(First(projected) + rank, width),
            C = new Rows(First(projected) + rank + states, width),
            D = First(w.D),
            Z = new Rows(First(xz) + channels, 2 * channels),
        };
    }

    static ConvolutionProblem Convolution(Tensor xz, DirectionWeights w, bool reverse) => new()
    {
        Batch = (int)xz.shape[0],
        Length = (int)xz.shape[1],
        Channels = (int)xz.shape[2] / 2,
        Kernel = (int)w.ConvWeight.shape[2],
        Reverse = reverse,
        X = RowsOf(xz),
        Weight = First(w.ConvWeight),
        Bias = w.ConvBias is { } bias ? First(bias) : null,
    };

    Tensor Product(Tensor a, Tensor b) =>
        bfloat16 ? mm(a.to(ScalarType.BFloat16), b.to(ScalarType.BFloat16)).to(ScalarType.Float32) : mm(a, b);

    readonly ref struct DirectionWeights(ReadOnlySpan<Tensor?> weights)
    {
        public readonly Tensor ConvWeight = weights[0]!, XProjection = weights[2]!, DtWeight = weights[3]!, DtBias = weights[4]!, ALog = weights[5]!, D = weights[6]!;
        public readonly Tensor? ConvBias = weights[1];
    }
}
