using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>Modules one after another, named by their position: timm's Sequential. Intermediate results are let go at once.</summary>
sealed class Chain : nn.Module<Tensor, Tensor>
{
    readonly nn.Module<Tensor, Tensor>[] _links;

    public Chain(IEnumerable<nn.Module<Tensor, Tensor>> links) : base(nameof(Chain))
    {
        _links = [.. links];
        for (var i = 0; i < _links.Length; i++) register_module(i.ToString(), _links[i]);
    }

    /// <summary>The modules in order.</summary>
    internal IReadOnlyList<nn.Module<Tensor, Tensor>> Links => _links;

    public override Tensor forward(Tensor x)
    {
        var y = _links[0].call(x);
        for (var i = 1; i < _links.Length; i++)
        {
            using var previous = y;
            y = _links[i].call(previous);
        }
        return y;
    }
}
