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

    /// <summary>The norm of what the layer reads.</summary>
    public LayerNorm Norm => norm;

    /// <summary>The layer.</summary>
    public nn.Module<Tensor, Tensor> Layer => layer;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Continue(new(x)).Sum().MoveToOuterDisposeScope();
    }

    /// <summary>The same on a stream to which the block before has not yet been added, and which leaves this block's part waiting.</summary>
    public ResidualStream Continue(ResidualStream stream)
    {
        var (x, normed) = stream.Norm(norm);
        var y = layer.call(normed[0]);
        if (_dropout > 0 && training) y = nn.functional.dropout(y, _dropout);
        return new(x, _dropPath.Apply(y, training));
    }
}
