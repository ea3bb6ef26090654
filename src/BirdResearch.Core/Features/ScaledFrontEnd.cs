using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>A front-end that computes rows x frames of each clip, normalises them by its settings and repeats them over its channels.</summary>
public abstract class ScaledFrontEnd : FrontEnd
{
    readonly FeatureScaling _scaling;
    readonly RowQuantile? _quantile;

    private protected ScaledFrontEnd(string name, FrontEndSettings settings) : base(name, settings.SampleRate)
    {
        SettingsCheck.FrontEnd(settings);
        Settings = settings;
        _scaling = new FeatureScaling(settings);
        _quantile = settings.RowQuantile is { } quantile ? new RowQuantile(quantile) : null;
    }

    /// <summary>What it computes.</summary>
    public FrontEndSettings Settings { get; }

    /// <inheritdoc/>
    public sealed override int Channels => Settings.Channels;

    /// <inheritdoc/>
    public sealed override Tensor forward(Tensor sound)                      // (B, T)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var frames = Frames(SoundBatch.Samples(sound));
        var rows = RowsOf(sound, frames);                                    // (B, rows, F)
        if (_quantile is not null) rows = _quantile.Apply(rows);
        return _scaling.Apply(rows).detach().MoveToOuterDisposeScope();      // (B, channels, rows, F)
    }

    /// <summary>Features before they are normalised: (B, T) of a shape and length that were checked -> (B, rows, frames).</summary>
    private protected abstract Tensor RowsOf(Tensor sound, long frames);
}
