using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Mel spectrogram under per-channel energy normalisation as an image (B, channels, mels, frames): the frames of <see cref="MelFrontEnd"/>, with
/// the band's own slow loudness taken off instead of decibels. <see cref="MelSettings.TopDb"/> is not read.
/// </summary>
public sealed class PcenFrontEnd : ScaledFrontEnd
{
    readonly MelSpectrogram mel;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public PcenFrontEnd(FrontEndSettings settings) : base("pcen", settings)
    {
        mel = new MelSpectrogram(settings.Mel with { TopDb = null }, settings.SampleRate);
        Normalised = new Pcen(settings.Pcen, (double)settings.Mel.Hop / settings.SampleRate);
        RegisterComponents();
        Complete();
    }

    /// <summary>What it starts from, in power (or whatever <see cref="MelSettings.Power"/> says).</summary>
    internal MelSpectrogram Spectrogram => mel;

    /// <summary>What it does with it.</summary>
    internal Pcen Normalised { get; }

    /// <inheritdoc/>
    public override int Rows => Settings.Mel.Mels;

    /// <inheritdoc/>
    public override long Frames(long samples) => mel.FramesWithin(samples);

    private protected override Tensor RowsOf(Tensor sound, long frames)
    {
        using var scope = NewDisposeScope();
        return Normalised.Of(mel.First(sound, frames)).MoveToOuterDisposeScope();
    }
}
