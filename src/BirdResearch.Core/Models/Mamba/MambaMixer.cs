using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The Mamba block: a causal mixer of tokens, (B, L, width) to the same shape. Gu and Dao 2023, Mamba; keys and initialisation are those of
/// state-spaces/mamba. <c>A_log</c>, <c>D</c> and the step size's bias stay float32 whatever the matrix products run in.
/// </summary>
public sealed class MambaMixer : nn.Module<Tensor, Tensor>, ISelectiveMixer, ICountsMultiplyAdds
{
    readonly Parameter A_log;               // (D, N)
    readonly Parameter D;                   // (D)
    readonly Dense in_proj;                 // x first, then the gate z
    readonly CausalConvolution conv1d;
    readonly Dense x_proj;                  // dt, B, C
    readonly Dense dt_proj;
    readonly Dense out_proj;

    readonly bool _reverse;

    /// <summary>A block with freshly drawn weights; settings out of range are an error that names them.</summary>
    /// <param name="settings">Its numbers.</param>
    /// <param name="reverse">True reads the tokens from the last to the first.</param>
    public MambaMixer(MambaSettings settings, bool reverse = false) : base(nameof(MambaMixer))
    {
        settings.Check();
        (Settings, _reverse) = (settings, reverse);
        var inner = settings.Inner;
        A_log = MambaDirection.InitialALog(inner, settings.States);
        D = nn.Parameter(ones(inner));
        in_proj = new Dense(settings.Width, 2 * inner, settings.Bias);
        conv1d = new CausalConvolution(inner, settings.Kernel, settings.ConvBias, reverse);
        x_proj = new Dense(inner, settings.Rank + (2 * settings.States), hasBias: false);
        dt_proj = new Dense(settings.Rank, inner);
        MambaDirection.InitialiseDt(dt_proj);
        out_proj = new Dense(inner, settings.Width, settings.Bias);
        RegisterComponents();
    }

    /// <summary>What it was built from.</summary>
    public MambaSettings Settings { get; }

    Dense ISelectiveMixer.InProjection => in_proj;

    Dense ISelectiveMixer.OutProjection => out_proj;

    IReadOnlyList<MambaDirection> ISelectiveMixer.Directions => [Direction];

    double ISelectiveMixer.Share => 1;

    MambaDirection ISelectiveMixer.Forward => Direction;

    Tensor ISelectiveMixer.Inner(Tensor xz) => Inner(xz);

    internal MambaDirection Direction => new(conv1d, x_proj, dt_proj, A_log, D, _reverse);

    /// <summary>
    /// Divides the output projection's weights by the square root of the number of layers that add to one residual, as Mamba's language
    /// model and Vision Mamba do: the weights are then uniform within 1 / sqrt(D x layers).
    /// </summary>
    public void ScaleOutput(int layers) => out_proj.Divide(Math.Sqrt(layers));

    /// <inheritdoc/>
    public override Tensor forward(Tensor u)                            // (B, L, width)
    {
        using var scope = NewDisposeScope();
        var xz = in_proj.call(u);                                       // (B, L, 2D)
        var y = Inner(xz);                                              // (B, L, D)
        return out_proj.call(y).MoveToOuterDisposeScope();              // (B, L, width)
    }

    /// <summary>All between the two projections: input and gate (B, L, 2D) to the gated output (B, L, D).</summary>
    internal Tensor Inner(Tensor xz) =>
        MambaInner.Takes(xz, Direction.Fused) ? MambaInner.Apply(xz, [Direction.Fused], bfloat16: x_proj.Bfloat16) : Composed(xz);

    /// <summary>The same in plain torch operations around the scan.</summary>
    internal Tensor Composed(Tensor xz)
    {
        using var scope = NewDisposeScope();
        var channels = xz.shape[2] / 2;
        var x = xz.narrow(2, 0, channels).transpose(1, 2);              // (B, D, L)
        var z = xz.narrow(2, channels, channels).transpose(1, 2);
        return Direction.Mix(x, z).transpose(1, 2).MoveToOuterDisposeScope();
    }

    /// <summary>The state before any token, for a batch of streams.</summary>
    public MambaState Begin(long batch) => new(batch, A_log, Settings.Kernel);

    /// <summary>
    /// The next token (B, width) of streams whose past is in <paramref name="state"/>: gives its output (B, width), the same as the
    /// parallel form gives at that place, and takes the token into the state. Without gradient. A block that
    /// reads from the last token cannot be streamed.
    /// </summary>
    public Tensor Step(Tensor token, MambaState state)
    {
        if (_reverse) throw new InvalidOperationException("This Mamba block reads from the last token to the first, so it has no next token. Call it on the whole sequence.");
        using var off = no_grad();
        using var scope = NewDisposeScope();
        var channels = D.shape[0];
        var xz = in_proj.call(token).unsqueeze(2);                      // (B, 2D, 1)
        var recent = cat([state.Recent.narrow(2, 1, Settings.Kernel - 1), xz.narrow(1, 0, channels)], 2);
        state.Recent.copy_(recent);                                     // (B, D, K), newest last
        var u = (recent * conv1d.Weight.squeeze(1)).sum([-1], keepdim: true);
        if (conv1d.Bias is { } bias) u = u.Plus(bias.unsqueeze(1));
        u = nn.functional.silu(u);                                      // (B, D, 1)
        var inputs = Direction.Inputs(u) with { Z = xz.narrow(1, channels, channels) };
        var y = SelectiveScan.Step(inputs, state.Hidden);               // (B, D, 1)
        return out_proj.call(y.squeeze(2)).MoveToOuterDisposeScope();   // (B, width)
    }

    /// <inheritdoc/>
    public long MultiplyAddsOf(Tensor output)
    {
        var tokens = output.numel() / Settings.Width;
        return tokens * (in_proj.Weight.numel() + Direction.MultiplyAddsPerToken + out_proj.Weight.numel());
    }
}
