using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>An activation as a module of its own, where timm has it under a name. Its input is its own to overwrite.</summary>
sealed class ActivationLayer(Activation activation) : nn.Module<Tensor, Tensor>(nameof(ActivationLayer))
{
    internal Activation Activation => activation;

    public override Tensor forward(Tensor x) => activation.Consume(x.alias());
}
