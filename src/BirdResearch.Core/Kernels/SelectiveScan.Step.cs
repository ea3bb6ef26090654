using static TorchSharp.torch;

namespace BirdResearch.Kernels;

public static partial class SelectiveScan
{
    /// <summary>
    /// One token of a stream: advances <paramref name="state"/> (B, D, N) in place and gives the token's output (B, D, 1). The state before
    /// the first token is zero. Without gradient.
    /// </summary>
    /// <param name="token">Inputs of one token, L = 1; the direction does not matter.</param>
    /// <param name="state">State after the token before, (B, D, N).</param>
    public static Tensor Step(ScanInputs token, Tensor state)
    {
        if (token.U.shape[2] != 1)
            throw new ArgumentException($"A step takes one token, but got {token.U.shape[2]}. Scan a sequence with {nameof(Apply)}.");
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var delta = token.DeltaBias is { } bias ? token.Delta.Plus(bias.unsqueeze(-1)) : token.Delta;       // (B, D, 1)
        if (token.Softplus) delta = delta.Softplus();
        var channels = token.U.shape[1];
        var b = At(PerToken(token.B, channels), 0);                                                   // (B|1, D|1, N)
        var c = At(PerToken(token.C, channels), 0);
        state.mul_(exp(delta * token.A)).add_(delta * token.U * b, KeptScalar.Of(1));
        var y = (state * c).sum([-1], keepdim: true);                                                 // (B, D, 1)
        if (token.D is { } skip) y = y.Plus(token.U * skip.unsqueeze(-1));
        if (token.Z is { } z) y *= nn.functional.silu(z);
        return y.MoveToOuterDisposeScope();
    }
}
