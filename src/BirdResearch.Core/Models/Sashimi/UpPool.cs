using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// Makes p tokens of every one, (B, L, H) -> (B, p x L, H / expand), shifted by one token of the slow rate: the fast tokens learn nothing
/// of the slow one that they themselves went into, so that a causal model stays causal.
/// </summary>
sealed class UpPool : nn.Module<Tensor, Tensor>
{
    readonly Pointwise linear;

    readonly long _pool;

    public UpPool(long width, int expand, int pool) : base(nameof(UpPool))
    {
        _pool = pool;
        linear = new Pointwise(width, width / expand * pool, outputGroups: pool);
        RegisterComponents();
    }

    /// <summary>The linear layer that makes several tokens of one.</summary>
    public Pointwise Linear => linear;

    /// <summary>Tokens that one becomes.</summary>
    public long Pool => _pool;

    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (batch, length) = (x.shape[0], x.shape[1]);
        var y = linear.call(x.narrow(1, 0, length - 1));                                // (B, L - 1, p x H / expand)
        y = y.reshape(batch, (length - 1) * _pool, y.shape[2] / _pool);
        return nn.functional.pad(y, (0, 0, _pool, 0)).MoveToOuterDisposeScope();
    }
}
