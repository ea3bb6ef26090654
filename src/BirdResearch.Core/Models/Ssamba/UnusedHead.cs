using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The ImageNet classifier that published SSAMBA weights carry and nothing ever calls. Buffers, not parameters: it is saved and loaded
/// under its keys, and neither trained nor counted among the parameters.
/// </summary>
sealed class UnusedHead : nn.Module
{
    const long ImageNetClasses = 1000;

    readonly Tensor weight;     // (1000, width)
    readonly Tensor bias;       // (1000)

    public UnusedHead(long width) : base(nameof(UnusedHead))
    {
        weight = zeros(ImageNetClasses, width).DetachFromDisposeScope();
        bias = zeros(ImageNetClasses).DetachFromDisposeScope();
        RegisterComponents();
    }
}
