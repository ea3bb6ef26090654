using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>A pointwise nonlinearity.</summary>
enum Activation
{
    None,
    Relu,
    Silu,
    Gelu,
    Hardswish,
    Sigmoid,
    Hardsigmoid,
}

/// <summary>Applies activations.</summary>
static class Activations
{
    /// <summary>
    /// Consumes <paramref name="x"/>, which the caller must have made itself and must not use again: it is overwritten where no gradient needs it.
    /// </summary>
    public static Tensor Consume(this Activation activation, Tensor x)
    {
        // ReLU's backward reads its result; the others read their input, so autograd would copy it first and nothing is won.
        var overwrite = !x.requires_grad;
        return activation switch
        {
            Activation.None => x,
            Activation.Relu => x.relu_(),
            Activation.Silu => overwrite ? x.silu_() : x.silu(),
            Activation.Gelu => x.gelu(),
            Activation.Hardswish => overwrite ? x.hardswish_() : x.hardswish(),
            Activation.Sigmoid => overwrite ? x.sigmoid_() : x.sigmoid(),
            Activation.Hardsigmoid => overwrite ? x.hardsigmoid_() : x.hardsigmoid(),
            _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "No such activation."),
        };
    }
}
