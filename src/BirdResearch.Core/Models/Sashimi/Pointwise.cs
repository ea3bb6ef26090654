using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// A convolution of one token's reach, whose weight (outputs, inputs, 1) is that of torch's Conv1d, on tokens whose channels lie together:
/// (B, L, inputs) -> (B, L, outputs).
/// </summary>
sealed class Pointwise : nn.Module<Tensor, Tensor>, IMixedPrecision, ICountsMultiplyAdds
{
    readonly Parameter weight;      // (outputs, inputs, 1)
    readonly Parameter bias;        // (outputs)

    readonly long[]? _outputOrder, _inputOrder;

    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="inputGroups">Groups s of input channels that arrive as (s, h) where the weight has them as (h, s).</param>
    /// <param name="outputGroups">Groups s of output channels that leave as (s, h) where the weight has them as (h, s).</param>
    public Pointwise(long inputs, long outputs, long inputGroups = 1, long outputGroups = 1) : base(nameof(Pointwise))
    {
        var bound = 1 / Math.Sqrt(inputs);
        weight = nn.Parameter(empty(outputs, inputs, 1).uniform_(-bound, bound));
        bias = nn.Parameter(empty(outputs).uniform_(-bound, bound));
        if (inputGroups > 1) _inputOrder = [outputs, inputs / inputGroups, inputGroups];
        if (outputGroups > 1) _outputOrder = [outputs / outputGroups, outputGroups, inputs];
        RegisterComponents();
    }

    /// <inheritdoc/>
    public bool Bfloat16 { get; set; }

    /// <inheritdoc/>
    public long MultiplyAddsOf(Tensor output) => output.numel() * weight.shape[1];

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (w, b) = Ordered();
        if (!Bfloat16) return nn.functional.linear(x, w, b).MoveToOuterDisposeScope();
        var product = nn.functional.linear(x.to(ScalarType.BFloat16), w.to(ScalarType.BFloat16)).to(x.dtype);
        return product.Plus(b).MoveToOuterDisposeScope();
    }

    /// <summary>Weight (outputs, inputs) and bias (outputs), in the order in which the channels come and go.</summary>
    internal (Tensor Weight, Tensor Bias) Ordered()
    {
        using var scope = NewDisposeScope();
        var (w, b) = ((Tensor)weight.squeeze(-1), bias.alias());
        if (_inputOrder is not null) w = w.view(_inputOrder).transpose(1, 2).flatten(1, 2);
        if (_outputOrder is not null)
        {
            w = w.view(_outputOrder).transpose(0, 1).flatten(0, 1);
            b = b.view(_outputOrder[..2]).transpose(0, 1).flatten(0, 1);
        }
        return (w.MoveToOuterDisposeScope(), b.MoveToOuterDisposeScope());
    }
}
