using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Channel attention: global mean, two 1x1 convolutions, a gate per channel. Hu et al. 2018, Squeeze-and-Excitation Networks.
/// Where no gradient is kept it overwrites its input, which its block has made and does not use again.
/// </summary>
sealed class SqueezeExcite : nn.Module<Tensor, Tensor>
{
    readonly Convolution conv_reduce;
    readonly Convolution conv_expand;
    readonly Activation _inner, _gate;

    public SqueezeExcite(long channels, long reduced, Activation inner, Activation gate) : base(nameof(SqueezeExcite))
    {
        (_inner, _gate) = (inner, gate);
        conv_reduce = new Convolution(channels, reduced, bias: true);
        conv_expand = new Convolution(reduced, channels, bias: true);
        RegisterComponents();
    }

    internal Convolution Reduce => conv_reduce;

    internal Convolution Expand => conv_expand;

    internal Activation Inner => _inner;

    internal Activation Gate => _gate;

    public override Tensor forward(Tensor x)                                // (B, C, H, W)
    {
        using var scope = NewDisposeScope();
        var squeezed = x.mean([2, 3], keepdim: true);                       // (B, C, 1, 1)
        var reduced = _inner.Consume(conv_reduce.call(squeezed));           // (B, R, 1, 1)
        var gate = _gate.Consume(conv_expand.call(reduced));                // (B, C, 1, 1)
        return is_grad_enabled() ? (x * gate).MoveToOuterDisposeScope() : x.mul_(gate);
    }
}
