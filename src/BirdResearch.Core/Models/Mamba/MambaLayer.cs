using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A residual layer, x + mixer(norm(x)), whose branch may be dropped in training; (B, L, width) to the same shape.</summary>
sealed class MambaLayer : nn.Module<Tensor, Tensor>
{
    readonly LayerNorm norm;
    readonly nn.Module<Tensor, Tensor> mixer;

    public MambaLayer(long width, nn.Module<Tensor, Tensor> mixer, double dropPathRate) : base(nameof(MambaLayer))
    {
        DropPath = new DropPath(dropPathRate);
        norm = nn.LayerNorm(width, 1e-5);
        this.mixer = mixer;
        RegisterComponents();
    }

    public DropPath DropPath { get; }

    public override Tensor forward(Tensor x)                        // (B, L, width)
    {
        using var scope = NewDisposeScope();
        var branch = mixer.call(norm.call(x));
        return x.Plus(DropPath.Apply(branch, training)).MoveToOuterDisposeScope();
    }
}
