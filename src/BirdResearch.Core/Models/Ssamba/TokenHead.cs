using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>SSAMBA's classifier, pooled token (B, width) to logits (B, C): a norm, dropout and a linear layer, under the keys 0 and 1.</summary>
sealed class TokenHead : nn.Module<Tensor, Tensor>
{
    readonly LayerNorm _norm;
    readonly Linear _linear;
    readonly double _dropRate;

    public TokenHead(long width, long classes, double dropRate) : base(nameof(TokenHead))
    {
        (_norm, _linear, _dropRate) = (nn.LayerNorm(width, VimEncoder.Epsilon), nn.Linear(width, classes), dropRate);
        register_module("0", _norm);
        register_module("1", _linear);
    }

    public override Tensor forward(Tensor pooled)
    {
        using var scope = NewDisposeScope();
        var normal = _norm.call(pooled);
        if (_dropRate > 0 && training) normal = nn.functional.dropout(normal, _dropRate);
        return _linear.call(normal).MoveToOuterDisposeScope();
    }
}
