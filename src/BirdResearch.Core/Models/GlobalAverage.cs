using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Mean over every axis behind the channels: (B, C, ...) to (B, C), or to (B, C, 1, 1). Activations in bfloat16 give a mean in float32, as the head
/// takes it.
/// </summary>
sealed class GlobalAverage(bool keepAxes = false) : nn.Module<Tensor, Tensor>(nameof(GlobalAverage))
{
    static readonly long[] Time = [2], Image = [2, 3];

    public override Tensor forward(Tensor x)
    {
        var axes = x.dim() == 3 ? Time : Image;
        return x.dtype == ScalarType.BFloat16 ? x.mean(axes, keepAxes, ScalarType.Float32) : x.mean(axes, keepAxes);
    }
}
