using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>SaShiMi's residual block, (B, L, H): x + layer(norm(x)).</summary>
sealed class ResidualBranch : nn.Module<Tensor, Tensor>
{
    readonly nn.Module<Tensor, Tensor> layer;
    readonly LayerNorm norm;

    readonly double _dropout;
    readonly DropPath _dropPath;

    public ResidualBranch(long width, nn.Module<Tensor, Tensor> layer, double dropout, double dropPath) : base(nameof(ResidualBranch))
    {
        this.layer = layer;
        norm = nn.LayerNorm(width);
        (_dropout, _dropPath) = (dropout, new DropPath(dropPath));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var y = layer.call(norm.call(x));
        if (_dropout > 0 && training) y = nn.functional.dropout(y, _dropout);
        return x.Plus(_dropPath.Apply(y, training)).MoveToOuterDisposeScope();
    }
}
