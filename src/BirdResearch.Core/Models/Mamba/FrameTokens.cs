using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BirdResearch.Models;

/// <summary>
/// A spectrogram as tokens in the order of time, each a linear map of all rows of a few frames: (B, C, M, F) to (B, ceil(F / frames), width).
/// What the last token lacks is zero.
/// </summary>
sealed class FrameTokens : nn.Module<Tensor, Tensor>
{
    readonly Parameter weight;      // (width, C, M, frames)
    readonly Parameter bias;        // (width)
    readonly long[] _stride;

    public FrameTokens(long channels, long rows, long frames, long width) : base(nameof(FrameTokens))
    {
        _stride = [rows, frames];
        var bound = 1 / Math.Sqrt(channels * rows * frames);
        weight = nn.Parameter(empty(width, channels, rows, frames).uniform_(-bound, bound));
        bias = nn.Parameter(empty(width).uniform_(-bound, bound));
        RegisterComponents();
    }

    /// <summary>The linear map, (width, C, M, frames).</summary>
    public Parameter Weight => weight;

    /// <summary>Its bias, (width).</summary>
    public Parameter Bias => bias;

    public override Tensor forward(Tensor x)                                        // (B, C, M, F)
    {
        using var scope = NewDisposeScope();
        var frames = _stride[1];
        var missing = (frames - (x.shape[3] % frames)) % frames;
        if (missing > 0) x = pad(x, (0, missing));
        var tokens = conv2d(x, weight, bias, strides: _stride);                     // (B, width, 1, L)
        return tokens.squeeze(2).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }
}
