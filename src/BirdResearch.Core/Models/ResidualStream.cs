using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// A residual stream between two blocks. What the last block gave is not yet added to it: the norm of the next block takes both in one pass.
/// </summary>
/// <param name="Residual">The stream before, (B, L, width).</param>
/// <param name="Waiting">What is to be added, each (B, L, width).</param>
sealed record ResidualStream(Tensor Residual, params IReadOnlyList<Tensor> Waiting)
{
    /// <summary>Whether the stream before counts twice.</summary>
    public bool Doubled { get; init; }

    /// <summary>The stream with something more to add.</summary>
    public ResidualStream Plus(Tensor more) => this with { Waiting = [.. Waiting, more] };

    /// <summary>All of it added up.</summary>
    public Tensor Sum() => Norm().Sum;

    /// <summary>All of it added up and normalised, at the stream's end.</summary>
    public Tensor LastNorm(LayerNorm norm) => Waiting.Count == 0 ? norm.call(Residual) : AddNorm.Last(Residual, Waiting, norm, Doubled);

    /// <summary>All of it added up, and that normalised by each of the norms.</summary>
    public (Tensor Sum, Tensor[] Normed) Norm(params IReadOnlyList<LayerNorm> norms) => Waiting.Count == 0
        ? (Residual, [.. norms.Select(n => n.call(Residual))])
        : norms.Count == 0 ? AddNorm.Reference(Residual, Waiting, norms, Doubled) : AddNorm.Apply(Residual, Waiting, norms, Doubled);
}
