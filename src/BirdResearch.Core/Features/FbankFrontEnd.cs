using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Normalised Kaldi filter bank as an image (B, channels, bins, frames): rows are mel bins as in every front-end here, so SSAMBA's
/// (B, time, bins) is its transpose. The sound's own mean needs no removal first: each frame's is removed.
/// </summary>
public sealed class FbankFrontEnd : FrontEnd
{
    readonly KaldiFbank fbank;
    readonly FrontEndSettings _settings;
    readonly FeatureScaling _scaling;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public FbankFrontEnd(FrontEndSettings settings) : base("kaldi-fbank", settings.SampleRate)
    {
        SettingsCheck.FrontEnd(settings);
        _settings = settings;
        _scaling = new FeatureScaling(settings);
        fbank = new KaldiFbank(settings.Fbank, settings.SampleRate);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int Channels => _settings.Channels;

    /// <inheritdoc/>
    public override int Rows => fbank.Columns;

    /// <summary>With fixed statistics, what a raw 0 becomes: SSAMBA and SSAST mask and pad the filter bank before they normalise it.</summary>
    public override double MaskedValue => _settings.Normalisation == Normalisation.Fixed ? -_settings.Mean / _settings.Std : 0;

    /// <inheritdoc/>
    public override long Frames(long samples)
    {
        var frames = fbank.Frames(samples);
        return _settings.Fbank.TargetFrames ?? frames;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor sound)                             // (B, T)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var bins = fbank.forward(sound);                                     // (B, F, bins)
        if (_settings.Fbank.TargetFrames is { } target) bins = KaldiFbank.PadOrCut(bins, target);
        return _scaling.Apply(bins.transpose(1, 2).contiguous()).MoveToOuterDisposeScope();   // (B, channels, bins, F)
    }
}
