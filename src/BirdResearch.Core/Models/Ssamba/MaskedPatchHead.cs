using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Token (..., width) to the values of its patch (..., rows x frames): linear, ReLU, linear, under the keys 0 and 2.</summary>
sealed class MaskedPatchHead : nn.Module<Tensor, Tensor>
{
    readonly Dense[] _links;    // in an array: torch would register fields under their own names as well

    public MaskedPatchHead(long width, long values) : base(nameof(MaskedPatchHead))
    {
        _links = [new Dense(width, width), new Dense(width, values)];
        register_module("0", _links[0]);
        register_module("2", _links[1]);
    }

    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        return _links[1].call(_links[0].call(tokens).relu_()).MoveToOuterDisposeScope();
    }
}
