using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Normalised mel spectrogram as an image (B, channels, mels, frames). It keeps the frames whose centre lies within the clip,
/// <c>ceil(samples / hop)</c> of them, so that 5 s at 32 kHz with a hop of 500 give 320 and not 321.
/// </summary>
public sealed class MelFrontEnd : ScaledFrontEnd
{
    readonly MelSpectrogram mel;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public MelFrontEnd(FrontEndSettings settings) : base("mel", settings)
    {
        mel = new MelSpectrogram(settings.Mel, settings.SampleRate);
        RegisterComponents();
        Complete();
    }

    /// <summary>What it normalises.</summary>
    internal MelSpectrogram Spectrogram => mel;

    /// <inheritdoc/>
    public override int Rows => Settings.Mel.Mels;

    /// <inheritdoc/>
    public override long Frames(long samples) => mel.FramesWithin(samples);

    private protected override Tensor RowsOf(Tensor sound, long frames) => mel.First(sound, frames);
}
