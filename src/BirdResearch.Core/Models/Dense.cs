using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A linear layer over the last axis, torch's own in keys and initialisation, that can take its product in bfloat16.</summary>
public sealed class Dense : nn.Module<Tensor, Tensor>, IMixedPrecision
{
    readonly Parameter weight;      // (outputs, inputs)
    readonly Parameter? bias;       // (outputs)

    /// <param name="inputs">Width of the last axis that comes in.</param>
    /// <param name="outputs">Width of the last axis that goes out.</param>
    /// <param name="hasBias">Whether a bias is added.</param>
    public Dense(long inputs, long outputs, bool hasBias = true) : base(nameof(Dense))
    {
        var bound = 1 / Math.Sqrt(inputs);
        weight = nn.Parameter(empty(outputs, inputs).uniform_(-bound, bound));
        if (hasBias) bias = nn.Parameter(empty(outputs).uniform_(-bound, bound));
        RegisterComponents();
    }

    /// <summary>The weight, (outputs, inputs).</summary>
    public Parameter Weight => weight;

    /// <summary>The bias, (outputs), or null.</summary>
    public Parameter? Bias => bias;

    /// <inheritdoc/>
    public bool Bfloat16 { get; set; }

    /// <summary>The product (..., outputs) alone, without the bias.</summary>
    public Tensor Product(Tensor x)
    {
        using var scope = NewDisposeScope();
        return Bfloat16
            ? nn.functional.linear(x.to(ScalarType.BFloat16), weight.to(ScalarType.BFloat16)).to(x.dtype).MoveToOuterDisposeScope()
            : nn.functional.linear(x, weight).MoveToOuterDisposeScope();
    }

    /// <summary>Divides the weight by a number, leaving the bias.</summary>
    internal void Divide(double by)
    {
        using var off = no_grad();
        weight.div_(KeptScalar.Of(by));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)      // (..., inputs)
    {
        using var scope = NewDisposeScope();
        if (!Bfloat16) return nn.functional.linear(x, weight, bias).MoveToOuterDisposeScope();
        var product = Product(x);
        return (bias is null ? product : product.Plus(bias)).MoveToOuterDisposeScope();                 // (..., outputs)
    }
}
