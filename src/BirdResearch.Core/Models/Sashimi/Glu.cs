using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Gated linear unit: the first half of the last axis times the sigmoid of its second half.</summary>
sealed class Glu() : nn.Module<Tensor, Tensor>(nameof(Glu))
{
    public override Tensor forward(Tensor x) => GatedUnit.Apply(x);   // (..., 2H) -> (..., H)
}
