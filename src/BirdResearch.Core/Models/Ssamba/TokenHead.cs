using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>SSAMBA's classifier, pooled token (B, width) to logits (B, C): a norm, dropout and a linear layer, under the keys 0 and 1.</summary>
sealed class TokenHead : nn.Module<Tensor, Tensor>
{
    readonly nn.Module<Tensor, Tensor>[] _links;    // in an array: torch would register fields under their own names as well
    readonly double _dropRate;

    public TokenHead(long width, long classes, double dropRate) : base(nameof(TokenHead))
    {
        (_links, _dropRate) = ([nn.LayerNorm(width, VimEncoder.Epsilon), nn.Linear(width, classes)], dropRate);
        register_module("0", _links[0]);
        register_module("1", _links[1]);
    }

    /// <summary>The norm.</summary>
    public LayerNorm Norm => (LayerNorm)_links[0];

    /// <summary>The linear layer.</summary>
    public Linear Classes => (Linear)_links[1];

    public override Tensor forward(Tensor pooled)
    {
        using var scope = NewDisposeScope();
        var normal = _links[0].call(pooled);
        if (_dropRate > 0 && training) normal = nn.functional.dropout(normal, _dropRate);
        return _links[1].call(normal).MoveToOuterDisposeScope();
    }
}
