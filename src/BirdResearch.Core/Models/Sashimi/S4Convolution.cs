using BirdResearch.Kernels;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// The state spaces of an S4 block on tokens (B, L, H) -> (B, L, heads x H): every channel's convolution with its kernel, the skip
/// connection D, dropout and GELU.
/// </summary>
public sealed class S4Convolution : nn.Module<Tensor, Tensor>, ICountsMultiplyAdds
{
    readonly Parameter D;           // (heads, H)
    readonly S4Kernel kernel;

    readonly S4Settings _settings;

    /// <param name="width">Channels H.</param>
    /// <param name="settings">Settings of the layer.</param>
    public S4Convolution(long width, S4Settings settings) : base(nameof(S4Convolution))
    {
        _settings = settings;
        D = nn.Parameter(randn(settings.Heads, width));
        kernel = new S4Kernel(width, settings.Heads * (settings.Bidirectional ? 2 : 1), settings);
        RegisterComponents();
    }

    /// <summary>The state spaces.</summary>
    public S4Kernel Kernel => kernel;

    /// <summary>The skip connection, (heads, H).</summary>
    internal Tensor Skip => D;

    /// <summary>What it was built from.</summary>
    internal S4Settings Settings => _settings;

    /// <summary>Multiply-adds of the recurrence: four for a complex state's step, two for its part in the output.</summary>
    public long MultiplyAddsOf(Tensor output)
    {
        var perState = _settings.Mode == S4Mode.Diagonal ? 6 : 12;
        return output.numel() * ((_settings.Bidirectional ? 2 : 1) * perState * (_settings.States / 2) + 1);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)                                        // (B, L, H)
    {
        using var scope = NewDisposeScope();
        var dropped = training && _settings.Dropout > 0;
        if (IsScan(x))
        {
            var (logBase, weights) = kernel.Powers();
            var scanned = DiagonalScan.Apply(x, logBase, weights, D.squeeze(0), gelu: !dropped);
            return (dropped ? DropThenGelu(scanned) : scanned).MoveToOuterDisposeScope();
        }
        var y = Convolve(x);                                                        // (B, L, heads x H)
        return (dropped ? DropThenGelu(y) : nn.functional.gelu(y)).MoveToOuterDisposeScope();
    }

    // A recurrence has one output per channel and an endless reach.
    bool IsScan(Tensor x) => _settings is { Mode: S4Mode.Diagonal, Heads: 1 } && !(_settings.MostTokens < x.shape[1]);

    Tensor DropThenGelu(Tensor y) => nn.functional.gelu(nn.functional.dropout(y, _settings.Dropout));

    Tensor Convolve(Tensor tokens)
    {
        var x = tokens.transpose(1, 2);                                             // (B, H, L)
        var length = Math.Min(x.shape[2], _settings.MostTokens ?? x.shape[2]);
        var kernels = kernel.Kernels(length);                                       // (K, H, length)
        Tensor y;
        if (_settings.Bidirectional)
            y = FourierConvolution.Apply(x, kernels.narrow(0, 0, _settings.Heads), kernels.narrow(0, _settings.Heads, _settings.Heads));
        else
            y = FourierConvolution.Apply(x, kernels);
        y = y.Plus(x.unsqueeze(1) * D.unsqueeze(-1));                               // (B, heads, H, L)
        return y.flatten(1, 2).transpose(1, 2);
    }
}
