using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Token (..., width) to the values of its patch (..., rows x frames): linear, ReLU, linear, under the keys 0 and 2.</summary>
sealed class MaskedPatchHead : nn.Module<Tensor, Tensor>
{
    readonly Dense _first, _second;

    public MaskedPatchHead(long width, long values) : base(nameof(MaskedPatchHead))
    {
        (_first, _second) = (new Dense(width, width), new Dense(width, values));
        register_module("0", _first);
        register_module("2", _second);
    }

    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _second.call(_first.call(tokens).relu_()).MoveToOuterDisposeScope();
    }
}
