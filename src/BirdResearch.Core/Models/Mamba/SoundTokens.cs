using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace BirdResearch.Models;

/// <summary>
/// Raw sound as tokens: two strided convolutions with batch norm, GELU between them, (B, 1, 1, T) to (B, ceil(T / stride), width). Each kernel
/// spans two or more of its strides. What the last token lacks is zero.
/// </summary>
sealed class SoundTokens : nn.Module<Tensor, Tensor>
{
    const long FirstKernel = 16;

    readonly SeriesConvolution conv1;
    readonly BatchNormAct bn1;
    readonly SeriesConvolution conv2;
    readonly BatchNormAct bn2;
    readonly long _stride;

    public SoundTokens(long firstStride, long secondStride, long width) : base(nameof(SoundTokens))
    {
        _stride = firstStride * secondStride;
        conv1 = new SeriesConvolution(1, width / 2, Math.Max(FirstKernel, 2 * firstStride), firstStride);
        bn1 = new BatchNormAct(width / 2, Activation.Gelu);
        conv2 = new SeriesConvolution(width / 2, width, 2 * secondStride, secondStride);
        bn2 = new BatchNormAct(width, Activation.None);
        RegisterComponents();
    }

    /// <summary>The convolutions, each with the norm behind it.</summary>
    public IReadOnlyList<(SeriesConvolution Convolution, BatchNormAct Norm)> Stages => [(conv1, bn1), (conv2, bn2)];

    /// <summary>Samples of a token.</summary>
    public long Stride => _stride;

    public override Tensor forward(Tensor sound)                                    // (B, 1, 1, T)
    {
        using var scope = NewDisposeScope();
        var x = sound.squeeze(2);                                                   // (B, 1, T)
        var missing = (_stride - (x.shape[2] % _stride)) % _stride;
        if (missing > 0) x = pad(x, (0, missing));
        x = bn1.call(conv1.call(x));                                                // (B, width / 2, T / first)
        x = bn2.call(conv2.call(x));                                                // (B, width, L)
        return x.transpose(1, 2).contiguous().to(sound.dtype).MoveToOuterDisposeScope();   // (B, L, width)
    }
}
