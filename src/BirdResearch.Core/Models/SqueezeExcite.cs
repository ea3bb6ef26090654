using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Channel attention: global mean, two 1x1 convolutions, a gate per channel. Hu et al. 2018, Squeeze-and-Excitation Networks.
/// Where no gradient is kept it overwrites its input, which its block has made and does not use again.
/// </summary>
sealed class SqueezeExcite : nn.Module<Tensor, Tensor>
{
    readonly Convolution[] _layers; // not fields of their own, which torch would name
    readonly Activation _inner, _gate;

    /// <param name="channels">Channels that are weighed.</param>
    /// <param name="reduced">Width of the squeezed vector.</param>
    /// <param name="inner">The activation between the convolutions.</param>
    /// <param name="gate">The activation that gives the weights.</param>
    /// <param name="reduce">Name of the first convolution in the state dictionary; timm's ResNets call it <c>fc1</c>.</param>
    /// <param name="expand">Name of the second; <c>fc2</c> there.</param>
    public SqueezeExcite(
        long channels, long reduced, Activation inner, Activation gate, string reduce = "conv_reduce", string expand = "conv_expand")
        : base(nameof(SqueezeExcite))
    {
        (_inner, _gate) = (inner, gate);
        _layers = [new Convolution(channels, reduced, bias: true), new Convolution(reduced, channels, bias: true)];
        register_module(reduce, Reduce);
        register_module(expand, Expand);
    }

    /// <summary>The convolution of the squeezed vector.</summary>
    internal Convolution Reduce => _layers[0];

    /// <summary>The convolution that gives a weight for each channel.</summary>
    internal Convolution Expand => _layers[1];

    internal Activation Inner => _inner;

    internal Activation Gate => _gate;

    public override Tensor forward(Tensor x)                                // (B, C, H, W)
    {
        using var scope = NewDisposeScope();
        var squeezed = x.mean([2, 3], keepdim: true);                       // (B, C, 1, 1)
        var reduced = _inner.Consume(Reduce.call(squeezed));           // (B, R, 1, 1)
        var gate = _gate.Consume(Expand.call(reduced));                // (B, C, 1, 1)
        return is_grad_enabled() ? (x * gate).MoveToOuterDisposeScope() : x.mul_(gate);
    }
}
