using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Makes one token of every p, expanding its channels: (B, L, H) -> (B, L / p, expand x H).</summary>
sealed class DownPool : nn.Module<Tensor, Tensor>
{
    readonly Pointwise linear;

    readonly long _pool;

    public DownPool(long width, int expand, int pool) : base(nameof(DownPool))
    {
        _pool = pool;
        linear = new Pointwise(width * pool, width * expand, inputGroups: pool);
        RegisterComponents();
    }

    /// <summary>The linear layer over a group of tokens.</summary>
    public Pointwise Linear => linear;

    /// <summary>Tokens that become one.</summary>
    public long Pool => _pool;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var groups = x.reshape(x.shape[0], x.shape[1] / _pool, _pool * x.shape[2]);
        return linear.call(groups).MoveToOuterDisposeScope();
    }
}
