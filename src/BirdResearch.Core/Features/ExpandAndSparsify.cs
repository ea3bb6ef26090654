using BirdResearch.Data;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Convolutional expand-and-sparsify (after Dasgupta and Tosh 2020, arXiv 2006.03741): a fixed random kernel
/// (n_output, mels, window) slides along the normalised mel series, and of each time step only the k largest activations stay.
/// (B, T) -> (B, channels, n_output, T') with T' = 1 + (frames - window) / stride.
/// </summary>
/// <remarks>Of equal activations those of the lowest unit stay, so digital silence gives the first k units.</remarks>
public sealed class ExpandAndSparsify : FrontEnd
{
    readonly MelFrontEnd mel;
    readonly Tensor kernel;                                     // (n_output, mels, window), a buffer in the state dictionary
    readonly FrontEndSettings _settings;
    readonly ExpansionSettings _expansion;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public ExpandAndSparsify(FrontEndSettings settings) : base("expand-and-sparsify", settings.SampleRate)
    {
        SettingsCheck.FrontEnd(settings);
        (_settings, _expansion) = (settings, settings.Expansion);
        mel = new MelFrontEnd(settings with { Kind = "mel", Channels = 1 });
        kernel = tensor(GaussianKernel(_expansion, mel.Rows), [_expansion.Outputs, mel.Rows, _expansion.Window]).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int Channels => _settings.Channels;

    /// <inheritdoc/>
    public override int Rows => _expansion.Outputs;

    /// <inheritdoc/>
    public override long Frames(long samples)
    {
        var frames = mel.Frames(samples);
        if (frames < _expansion.Window)
            throw new ArgumentException(
                $"A clip of {samples} samples gives {frames} mel frames, fewer than the expansion's window of {_expansion.Window}: " +
                "lengthen the clip or shorten the window.");
        return 1 + (frames - _expansion.Window) / _expansion.Stride;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor sound)                                     // (B, T)
    {
        Frames(SoundBatch.Samples(sound));
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var activations = Activations(mel.forward(sound).squeeze(1));                // (B, T', n_output)
        var winners = WinnerTakeAll.Indices(activations, _expansion.K);              // (B, T', k)
        var code = Dense(activations, winners).unsqueeze(1);                         // (B, 1, n_output, T')
        return (Channels == 1 ? code : code.repeat(1, Channels, 1, 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Responses of every unit: mel series (B, mels, F) -> (B, T', n_output).</summary>
    public Tensor Activations(Tensor series)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var windows = series.unfold(2, _expansion.Window, _expansion.Stride)         // (B, mels, T', window)
            .transpose(1, 2).flatten(2);                                             // (B, T', mels * window)
        return matmul(windows, kernel.flatten(1).t()).MoveToOuterDisposeScope();     // (B, T', n_output)
    }

    /// <summary>The k-sparse code (B, T', k of n_output) written out: 1 or the activation for a winner, 0 for the others.</summary>
    Tensor Dense(Tensor activations, Tensor winners)
    {
        using var scope = NewDisposeScope();
        var kept = _expansion.Binary
            ? ones(winners.shape, dtype: activations.dtype, device: activations.device)
            : activations.gather(2, winners);                                        // (B, T', k)
        return zeros(activations.shape, dtype: activations.dtype, device: activations.device)
            .scatter_(2, winners, kept).transpose(1, 2).contiguous().MoveToOuterDisposeScope();   // (B, n_output, T')
    }

    /// <summary>Gaussian weights of variance 1 / (mels * window): normalised input gives activations near unit variance.</summary>
    static float[] GaussianKernel(ExpansionSettings expansion, int mels)
    {
        var random = new CounterRandom(expansion.Seed, CounterRandom.KeyOf("expand-and-sparsify"));
        var scale = 1 / Math.Sqrt((double)mels * expansion.Window);
        var weights = new float[expansion.Outputs * mels * expansion.Window];
        // A grid far coarser than the last bit of a system's own logarithm and cosine: the kernel is the same on every machine.
        for (var i = 0; i < weights.Length; i++) weights[i] = (float)(Math.Round(random.NextGaussian() * 4096) / 4096 * scale);
        return weights;
    }
}
