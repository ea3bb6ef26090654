using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BirdResearch.Models;

/// <summary>Depthwise convolution along time that reads each token and those before it; in reverse, each token and those after it.</summary>
sealed class CausalConvolution : nn.Module<Tensor, Tensor>
{
    readonly Parameter weight;      // (D, 1, K), the token itself last
    readonly Parameter? bias;       // (D)
    readonly bool _reverse;

    public CausalConvolution(long channels, long kernel, bool hasBias, bool reverse = false) : base(nameof(CausalConvolution))
    {
        _reverse = reverse;
        var bound = 1 / Math.Sqrt(kernel);                          // torch's own initialisation; fan_in is the kernel
        weight = nn.Parameter(empty(channels, 1, kernel).uniform_(-bound, bound));
        if (hasBias) bias = nn.Parameter(empty(channels).uniform_(-bound, bound));
        RegisterComponents();
    }

    /// <summary>The kernel of every channel, (D, 1, K), the token itself last.</summary>
    public Parameter Weight => weight;

    /// <summary>The bias, (D), or null.</summary>
    public Parameter? Bias => bias;

    /// <summary>Tokens that the kernel spans, K.</summary>
    public long Kernel => weight.shape[2];

    public override Tensor forward(Tensor x)                        // (B, D, L)
    {
        using var scope = NewDisposeScope();
        var padded = pad(x, _reverse ? (0, Kernel - 1) : (Kernel - 1, 0));
        var kernel = _reverse ? weight.flip(2) : weight;
        return conv1d(padded, kernel, bias, groups: x.shape[1]).MoveToOuterDisposeScope();   // (B, D, L)
    }
}
