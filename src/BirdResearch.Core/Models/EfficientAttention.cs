using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Efficient channel attention: the global mean of every channel, one filter along the channels, a gate per channel. Wang et al. 2020, ECA-Net;
/// timm's EcaModule. Where no gradient is kept it overwrites its input, which its block has made and does not use again.
/// </summary>
sealed class EfficientAttention : nn.Module<Tensor, Tensor>
{
    static readonly long[] Image = [2, 3];

    readonly Conv1d conv; // (1, 1, k)

    public EfficientAttention(long channels) : base(nameof(EfficientAttention))
    {
        var kernel = KernelOf(channels);
        conv = nn.Conv1d(1, 1, kernel, padding: (kernel - 1) / 2, bias: false);
        RegisterComponents();
    }

    /// <summary>Channels that the filter spans: the paper's rule with gamma 2 and offset 1, odd and at least 3.</summary>
    static long KernelOf(long channels)
    {
        var span = (long)((Math.Log2(channels) + 1) / 2);
        return Math.Max(span % 2 == 0 ? span + 1 : span, 3);
    }

    internal Conv1d Filter => conv;

    public override Tensor forward(Tensor x)                                                    // (B, C, H, W)
    {
        using var scope = NewDisposeScope();
        var narrow = x.dtype == ScalarType.BFloat16;
        var squeezed = narrow ? x.mean(Image, keepdim: false, ScalarType.Float32) : x.mean(Image); // (B, C)
        var gate = conv.call(squeezed.unsqueeze(1)).sigmoid().view(x.shape[0], x.shape[1], 1, 1);
        if (narrow) gate = gate.to(ScalarType.BFloat16);
        return is_grad_enabled() ? (x * gate).MoveToOuterDisposeScope() : x.mul_(gate);
    }
}
