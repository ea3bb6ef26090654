using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Spectrogram (B, channels, rows, frames) to one token per patch, (B, patches, width).</summary>
sealed class PatchEmbedding : nn.Module<Tensor, Tensor>
{
    readonly Conv2d proj;

    public PatchEmbedding(long channels, SsambaSettings settings) : base(nameof(PatchEmbedding))
    {
        proj = nn.Conv2d(channels, settings.Width, (settings.PatchRows, settings.PatchFrames), (settings.RowStride, settings.FrameStride), (0L, 0L));
        RegisterComponents();
    }

    /// <summary>The convolution that reads patches.</summary>
    public Conv2d Projection => proj;

    public override Tensor forward(Tensor image)
    {
        using var scope = NewDisposeScope();
        return proj.call(image).flatten(2).transpose(1, 2).MoveToOuterDisposeScope();    // (B, f T' + t, width)
    }
}
