using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The minimal S4D layer (state-spaces/s4, models/s4/s4d.py), (B, H, L) to the same shape, or (B, L, H).</summary>
public sealed class S4D : nn.Module<Tensor, Tensor>
{
    readonly Parameter D;               // (H)
    readonly S4DKernel kernel;
    readonly Chain output_linear;

    readonly double _dropout;
    readonly bool _transposed;

    /// <param name="width">Channels H.</param>
    /// <param name="states">Real states N per channel, an even number.</param>
    /// <param name="dropout">Probability that a channel is dropped in training, over its whole length, in [0, 1).</param>
    /// <param name="transposed">True takes and gives (B, H, L), false (B, L, H).</param>
    public S4D(long width, long states = 64, double dropout = 0, bool transposed = true) : base(nameof(S4D))
    {
        if (dropout is not (>= 0 and < 1)) throw new ArgumentException($"Dropout must be at least 0 and below 1, but is {dropout}.");
        (_dropout, _transposed) = (dropout, transposed);
        D = nn.Parameter(randn(width));
        kernel = new S4DKernel(width, states);
        output_linear = new Chain([new Pointwise(width, 2 * width), new Glu()]);
        RegisterComponents();
    }

    /// <summary>The state spaces.</summary>
    public S4DKernel Kernel => kernel;

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (!_transposed) x = x.transpose(1, 2);                                                    // (B, H, L)
        var y = FourierConvolution.Apply(x, kernel.Kernels(x.shape[2]).unsqueeze(0)).squeeze(1);
        y = nn.functional.gelu(y.Plus(x * D.unsqueeze(-1)));
        if (_dropout > 0 && training) y = nn.functional.dropout1d(y, _dropout);
        y = output_linear.call(y.transpose(1, 2));                                                  // (B, L, H)
        return (_transposed ? y.transpose(1, 2) : y).MoveToOuterDisposeScope();
    }
}
