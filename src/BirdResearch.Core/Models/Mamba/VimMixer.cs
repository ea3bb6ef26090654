using BirdResearch.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The bidirectional mixer of Vision Mamba (Zhu et al. 2024, "bimamba v2" of hustvl/Vim), (B, L, width) to the same shape: two directions
/// with their own convolution, step size and state between one shared pair of projections. The step size's bias is drawn alike in both
/// directions; the published code leaves that of the backward one to the framework, or zero, which starts it with steps of about 0.7.
/// </summary>
public sealed class VimMixer : nn.Module<Tensor, Tensor>, ISelectiveMixer, ICountsMultiplyAdds
{
    readonly Parameter A_log;               // (D, N)
    readonly Parameter D;                   // (D)
    readonly Parameter A_b_log;
    readonly Parameter D_b;
    readonly Dense in_proj;                 // x first, then the gate z
    readonly CausalConvolution conv1d;
    readonly Dense x_proj;                  // dt, B, C
    readonly Dense dt_proj;
    readonly CausalConvolution conv1d_b;
    readonly Dense x_proj_b;
    readonly Dense dt_proj_b;
    readonly Dense out_proj;
    readonly Scalar _half = 0.5;

    /// <summary>A mixer with freshly drawn weights; settings out of range are an error that names them.</summary>
    /// <param name="settings">The numbers of either direction.</param>
    /// <param name="divide">Whether the sum of the directions is halved.</param>
    /// <param name="flipped">
    /// Whether it gives what it would give on the sequence turned around, turned back: the directions change places and nothing is copied.
    /// </param>
    public VimMixer(MambaSettings settings, bool divide = true, bool flipped = false) : base(nameof(VimMixer))
    {
        settings.Check();
        (Settings, Divide, Flipped) = (settings, divide, flipped);
        var (inner, rows) = (settings.Inner, settings.Rank + (2 * settings.States));
        A_log = MambaDirection.InitialALog(inner, settings.States);
        D = nn.Parameter(ones(inner));
        A_b_log = MambaDirection.InitialALog(inner, settings.States);
        D_b = nn.Parameter(ones(inner));
        in_proj = new Dense(settings.Width, 2 * inner, settings.Bias);
        conv1d = new CausalConvolution(inner, settings.Kernel, settings.ConvBias, reverse: flipped);
        x_proj = new Dense(inner, rows, hasBias: false);
        dt_proj = new Dense(settings.Rank, inner);
        MambaDirection.InitialiseDt(dt_proj);
        conv1d_b = new CausalConvolution(inner, settings.Kernel, settings.ConvBias, reverse: !flipped);
        x_proj_b = new Dense(inner, rows, hasBias: false);
        dt_proj_b = new Dense(settings.Rank, inner);
        MambaDirection.InitialiseDt(dt_proj_b);
        out_proj = new Dense(inner, settings.Width, settings.Bias);
        RegisterComponents();
    }

    /// <summary>The numbers of either direction.</summary>
    public MambaSettings Settings { get; }

    /// <summary>Whether the sum of the directions is halved.</summary>
    public bool Divide { get; }

    /// <summary>Whether it acts as on the sequence turned around.</summary>
    public bool Flipped { get; }

    Dense ISelectiveMixer.InProjection => in_proj;

    Dense ISelectiveMixer.OutProjection => out_proj;

    IReadOnlyList<MambaDirection> ISelectiveMixer.Directions => [Forward, Backward];

    double ISelectiveMixer.Share => Divide ? 0.5 : 1;

    MambaDirection ISelectiveMixer.Forward => Forward;

    Tensor ISelectiveMixer.Inner(Tensor xz) => Inner(xz);

    internal MambaDirection Forward => new(conv1d, x_proj, dt_proj, A_log, D, Reverse: Flipped);

    internal MambaDirection Backward => new(conv1d_b, x_proj_b, dt_proj_b, A_b_log, D_b, Reverse: !Flipped);

    /// <inheritdoc cref="MambaMixer.ScaleOutput"/>
    public void ScaleOutput(int layers) => out_proj.Divide(Math.Sqrt(layers));

    /// <inheritdoc/>
    public override Tensor forward(Tensor u)                            // (B, L, width)
    {
        using var scope = NewDisposeScope();
        var xz = in_proj.call(u);                                       // (B, L, 2D)
        var y = Inner(xz);                                              // (B, L, D)
        return out_proj.call(y).MoveToOuterDisposeScope();              // (B, L, width)
    }

    /// <summary>All between the two projections: input and gate (B, L, 2D) to the gated sum of both directions (B, L, D).</summary>
    internal Tensor Inner(Tensor xz) => MambaInner.Takes(xz, Forward.Fused)
        ? MambaInner.Apply(xz, [Forward.Fused, Backward.Fused], Divide ? 0.5 : 1, x_proj.Bfloat16)
        : Composed(xz);

    /// <summary>The same in plain torch operations around two scans.</summary>
    internal Tensor Composed(Tensor xz)
    {
        using var scope = NewDisposeScope();
        var channels = xz.shape[2] / 2;
        var x = xz.narrow(2, 0, channels).transpose(1, 2);              // (B, D, L)
        var z = xz.narrow(2, channels, channels).transpose(1, 2);
        var y = Forward.Mix(x, z).Plus(Backward.Mix(x, z));             // (B, D, L)
        if (Divide) y = y.mul(_half);
        return y.transpose(1, 2).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public long MultiplyAddsOf(Tensor output)
    {
        var tokens = output.numel() / Settings.Width;
        return tokens * (in_proj.Weight.numel() + Forward.MultiplyAddsPerToken + Backward.MultiplyAddsPerToken + out_proj.Weight.numel());
    }
}
