using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Normalised Kaldi filter bank as an image (B, channels, bins, frames): rows are mel bins as in every front-end here, so SSAMBA's
/// (B, time, bins) is its transpose. The sound's own mean needs no removal first: each frame's is removed.
/// </summary>
public sealed class FbankFrontEnd : ScaledFrontEnd
{
    readonly KaldiFbank fbank;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public FbankFrontEnd(FrontEndSettings settings) : base("kaldi-fbank", settings)
    {
        fbank = new KaldiFbank(settings.Fbank, settings.SampleRate);
        RegisterComponents();
        Complete();
    }

    /// <summary>What it normalises.</summary>
    internal KaldiFbank Bank => fbank;

    /// <inheritdoc/>
    public override int Rows => fbank.Columns;

    /// <summary>With fixed statistics, what a raw 0 becomes: SSAMBA and SSAST mask and pad the filter bank before they normalise it.</summary>
    public override double MaskedValue => Settings.Normalisation == Normalisation.Fixed ? -Settings.Mean / Settings.Std : 0;

    /// <inheritdoc/>
    public override long Frames(long samples)
    {
        var frames = fbank.Frames(samples);
        return Settings.Fbank.TargetFrames ?? frames;
    }

    private protected override Tensor RowsOf(Tensor sound, long frames)      // padded with zeros or cut
    {
        using var scope = NewDisposeScope();
        var bins = fbank.Transposed(sound);                                  // (B, bins, F)
        var missing = frames - bins.shape[2];
        bins = missing > 0 ? nn.functional.pad(bins, (0, missing)) : bins.narrow(2, 0, frames);
        return bins.contiguous().MoveToOuterDisposeScope();
    }
}
