using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Normalised mel spectrogram as an image (B, channels, mels, frames). It keeps the frames whose centre lies within the clip,
/// <c>ceil(samples / hop)</c> of them, so that 5 s at 32 kHz with a hop of 500 give 320 and not 321.
/// </summary>
public sealed class MelFrontEnd : FrontEnd
{
    readonly MelSpectrogram mel;
    readonly FrontEndSettings _settings;
    readonly FeatureScaling _scaling;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public MelFrontEnd(FrontEndSettings settings) : base("mel", settings.SampleRate)
    {
        SettingsCheck.FrontEnd(settings);
        _settings = settings;
        _scaling = new FeatureScaling(settings);
        mel = new MelSpectrogram(settings.Mel, settings.SampleRate);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override int Channels => _settings.Channels;

    /// <inheritdoc/>
    public override int Rows => _settings.Mel.Mels;

    /// <inheritdoc/>
    public override long Frames(long samples) =>
        Math.Min(mel.Frames(samples), (samples + _settings.Mel.Hop - 1) / _settings.Mel.Hop);

    /// <inheritdoc/>
    public override Tensor forward(Tensor sound)                             // (B, T)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var bands = mel.First(sound, Frames(SoundBatch.Samples(sound)));     // (B, mels, F)
        return _scaling.Apply(bands).MoveToOuterDisposeScope();              // (B, channels, mels, F)
    }
}
