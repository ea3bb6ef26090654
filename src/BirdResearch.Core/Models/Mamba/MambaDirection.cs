using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// What one direction of a mixer computes between the projections in and out: convolution, SiLU, the token's own step size, B and C, and
/// the gated scan. Read afresh from the mixer for each call, because moving a module to another type replaces its parameters.
/// </summary>
readonly record struct MambaDirection(
    CausalConvolution Conv, Dense XProjection, Dense DtProjection, Parameter ALog, Parameter D, bool Reverse)
{
    /// <summary>States per channel, N.</summary>
    public long States => ALog.shape[1];

    /// <summary>The same weights for the fused node.</summary>
    public MambaInnerDirection Fused =>
        new(Conv.Weight, Conv.Bias, XProjection.Weight, DtProjection.Weight, DtProjection.Bias!, ALog, D, Reverse);

    /// <summary>The gated output (B, D, L) of input and gate (B, D, L), in plain torch operations around the scan.</summary>
    public Tensor Mix(Tensor x, Tensor z)
    {
        using var scope = NewDisposeScope();
        var u = Convolve(x);                                                            // (B, D, L)
        return SelectiveScan.Apply(Inputs(u) with { Z = z }).Y.MoveToOuterDisposeScope();
    }

    /// <summary>Convolution and SiLU, (B, D, L).</summary>
    public Tensor Convolve(Tensor x)
    {
        using var scope = NewDisposeScope();
        return nn.functional.silu(Conv.call(x)).MoveToOuterDisposeScope();
    }

    /// <summary>What the scan reads at the convolved input (B, D, L), without the gate.</summary>
    public ScanInputs Inputs(Tensor u)
    {
        using var scope = NewDisposeScope();
        var rank = DtProjection.Weight.shape[1];
        var projected = XProjection.call(u.transpose(1, 2));                            // (B, L, R + 2N)
        var delta = DtProjection.Product(projected.narrow(2, 0, rank));                 // (B, L, D)
        var b = projected.narrow(2, rank, States);                                      // (B, L, N)
        var c = projected.narrow(2, rank + States, States);
        var a = -exp(ALog);                                                             // (D, N)
        return new ScanInputs(
            u,
            delta.transpose(1, 2).MoveToOuterDisposeScope(),
            a.MoveToOuterDisposeScope(),
            b.transpose(1, 2).MoveToOuterDisposeScope(),
            c.transpose(1, 2).MoveToOuterDisposeScope())
        {
            D = D,
            DeltaBias = DtProjection.Bias,
            Softplus = true,
            Reverse = Reverse,
        };
    }

    /// <summary>Multiply-adds per token: the convolution, both projections, and three per channel and state for the scan.</summary>
    public long MultiplyAddsPerToken =>
        Conv.Weight.numel() + XProjection.Weight.numel() + DtProjection.Weight.numel() + (3 * ALog.numel());

    /// <summary>A_log of S4D-Real, ln(1..N) in every row.</summary>
    public static Parameter InitialALog(long channels, long states)
    {
        using var scope = NewDisposeScope();
        var row = KeptScalar.Counting(states, ScalarType.Float32).Plus(1).log();
        var parameter = nn.Parameter(row.repeat(channels, 1));
        return (Parameter)parameter.MoveToOuterDisposeScope();
    }

    /// <summary>The step size's bias, so that softplus gives steps spread evenly over the logarithm of 0.001 to 0.1.</summary>
    public static void InitialiseDt(Dense dtProjection)
    {
        const double Smallest = 1e-3, Largest = 0.1, Floor = 1e-4;
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var bias = dtProjection.Bias!;
        var dt = rand_like(bias).mul_(KeptScalar.Of(Math.Log(Largest / Smallest))).Plus(Math.Log(Smallest)).exp_().clamp_min_(KeptScalar.Of(Floor));
        bias.copy_(dt.Plus((-expm1(-dt)).log_()));                                      // the inverse of softplus
    }
}
