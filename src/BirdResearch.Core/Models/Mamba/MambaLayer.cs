using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A residual layer, x + mixer(norm(x)), whose branch may be dropped in training.</summary>
sealed class MambaLayer : nn.Module<ResidualStream, ResidualStream>
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

    public LayerNorm Norm => norm;

    public nn.Module<Tensor, Tensor> Mixer => mixer;

    public override ResidualStream forward(ResidualStream stream)
    {
        var (x, normed) = stream.Norm(norm);
        return new(x, DropPath.Apply(mixer.call(normed[0]), training));
    }
}
