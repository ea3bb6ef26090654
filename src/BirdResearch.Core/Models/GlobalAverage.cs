using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Mean over every axis behind the channels: (B, C, ...) to (B, C).</summary>
sealed class GlobalAverage() : nn.Module<Tensor, Tensor>(nameof(GlobalAverage))
{
    static readonly long[] Time = [2], Image = [2, 3];

    public override Tensor forward(Tensor x) => x.mean(x.dim() == 3 ? Time : Image);
}
