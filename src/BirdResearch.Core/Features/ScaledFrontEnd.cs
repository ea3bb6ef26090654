using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// A front-end that computes rows x frames of each clip, takes off their quantiles and matches their statistics where asked to, normalises them by
/// its settings and repeats them over its channels.
/// </summary>
public abstract class ScaledFrontEnd : FrontEnd
{
    readonly FeatureScaling _scaling;
    readonly RowQuantile? _quantile;
    BandStatistics? _matching;

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
    public sealed override int FitClips => _matching is null ? 0 : Settings.MatchClips;

    /// <inheritdoc/>
    public sealed override bool NeedsTarget => _matching is not null;

    /// <inheritdoc/>
    public sealed override bool IsFitted => _matching?.IsFitted ?? true;

    /// <inheritdoc/>
    public sealed override Tensor forward(Tensor sound)                      // (B, T)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        return _scaling.Apply(Bands(sound)).detach().MoveToOuterDisposeScope();      // (B, channels, rows, F)
    }

    /// <inheritdoc/>
    public sealed override Tensor OfTraining(Tensor sound, IReadOnlyList<bool>? rows = null)
    {
        if (_matching is null) return forward(sound);
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        return _scaling.Apply(_matching.Apply(Bands(sound), rows)).detach().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public sealed override void Fit(IEnumerable<Tensor> trainingSound, IEnumerable<Tensor>? targetSound = null)
    {
        using var withoutGradient = no_grad();
        _matching?.Fit(trainingSound.Select(Bands), (targetSound ?? []).Select(Bands));
    }

    /// <summary>Registers what matches bands; called by a constructor once its number of rows is known.</summary>
    private protected void Complete()
    {
        if (Settings.BandMatching != BandMatching.None)
            register_module("matching", _matching = new BandStatistics(Settings.BandMatching, Rows));
    }

    /// <summary>Features before they are matched and normalised: (B, T) -> (B, rows, frames).</summary>
    Tensor Bands(Tensor sound)
    {
        using var scope = NewDisposeScope();
        var rows = RowsOf(sound, Frames(SoundBatch.Samples(sound)));         // (B, rows, F)
        return (_quantile?.Apply(rows) ?? rows).MoveToOuterDisposeScope();
    }

    /// <summary>Features of sound whose shape and length were checked: (B, T) -> (B, rows, frames).</summary>
    private protected abstract Tensor RowsOf(Tensor sound, long frames);
}
