using static TorchSharp.torch;

namespace BirdResearch.Kernels;

public static partial class SelectiveScan
{
    /// <summary>The scan as it is defined, token by token in plain torch operations: any floating type, slow, the measure of the other forms.</summary>
    public static ScanResult Reference(ScanInputs inputs)
    {
        using var scope = NewDisposeScope();
        var (u, a) = (inputs.U, inputs.A);
        var (channels, length) = (u.shape[1], u.shape[2]);
        var delta = inputs.DeltaBias is { } bias ? inputs.Delta.Plus(bias.unsqueeze(-1)) : inputs.Delta;  // (B, D, L)
        if (inputs.Softplus) delta = nn.functional.softplus(delta, 1, 20);
        var b = PerToken(inputs.B, channels);                                                       // (B|1, D|1, N, L|1)
        var c = PerToken(inputs.C, channels);

        var state = zeros(u.shape[0], channels, a.shape[1], dtype: u.dtype, device: u.device);       // (B, D, N)
        var outputs = new Tensor[length];
        for (var i = 0L; i < length; i++)
        {
            var t = inputs.Reverse ? length - 1 - i : i;
            var step = delta.select(2, t).unsqueeze(-1);                                            // (B, D, 1)
            var input = step * u.select(2, t).unsqueeze(-1);
            state = (exp(step * a) * state).Plus(input * At(b, t));
            outputs[t] = (state * At(c, t)).sum([-1]);                                              // (B, D)
        }
        var y = stack(outputs, -1);                                                                 // (B, D, L)
        if (inputs.D is { } skip) y = y.Plus(u * skip.unsqueeze(-1));
        if (inputs.Z is { } z) y *= nn.functional.silu(z);
        return new ScanResult(y.MoveToOuterDisposeScope(), state.detach().MoveToOuterDisposeScope());
    }

    static Tensor PerToken(Tensor matrix, long channels) => matrix.dim() switch
    {
        2 => matrix.unsqueeze(0).unsqueeze(-1),                                  // (D, N) -> (1, D, N, 1)
        3 => matrix.unsqueeze(1),                                                // (B, N, L) -> (B, 1, N, L)
        _ => matrix.repeat_interleave(channels / matrix.shape[1], dim: 1),       // (B, G, N, L) -> (B, D, N, L)
    };

    static Tensor At(Tensor perToken, long t) => perToken.select(3, perToken.shape[3] == 1 ? 0 : t);
}
