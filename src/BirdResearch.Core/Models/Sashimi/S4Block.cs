using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The S4 block of SaShiMi (state-spaces/s4, models/s4/s4.py): state spaces, dropout, and a linear layer with a gated linear unit that
/// mixes the channels.
/// </summary>
public sealed class S4Block : nn.Module<Tensor, Tensor>
{
    readonly S4Convolution layer;
    readonly Chain output_linear;

    readonly bool _transposed;
    readonly double _dropout;

    /// <param name="width">Channels H.</param>
    /// <param name="settings">Settings of the layer.</param>
    /// <param name="transposed">True takes and gives (B, H, L), false (B, L, H).</param>
    public S4Block(long width, S4Settings settings, bool transposed = false) : base(nameof(S4Block))
    {
        (_transposed, _dropout) = (transposed, settings.Dropout);
        layer = new S4Convolution(width, settings);
        output_linear = new Chain([new Dense(settings.Heads * width, 2 * width), new Glu()]);
        RegisterComponents();
    }

    /// <summary>The state spaces.</summary>
    public S4Convolution Layer => layer;

    /// <summary>The linear layer whose output a gated linear unit halves.</summary>
    internal Dense Gate => (Dense)output_linear.Links[0];

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (_transposed) x = x.transpose(1, 2);
        var y = layer.call(x);                                          // (B, L, heads x H)
        if (_dropout > 0 && training) y = nn.functional.dropout(y, _dropout);
        y = output_linear.call(y);                                      // (B, L, H)
        if (_transposed) y = y.transpose(1, 2);
        return y.MoveToOuterDisposeScope();
    }
}
