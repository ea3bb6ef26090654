using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>Turns sound (B, T) into features (B, channels, rows, frames), ready for a classifier.</summary>
public abstract class FrontEnd(string name, int sampleRate) : nn.Module<Tensor, Tensor>(name)
{
    /// <summary>The rate in Hz that the samples must have.</summary>
    public int SampleRate { get; } = sampleRate;

    /// <summary>Feature channels: 1, or 3 for models that expect an RGB image.</summary>
    public abstract int Channels { get; }

    /// <summary>Rows of the feature matrix: mel bands, or units of the expanded representation.</summary>
    public abstract int Rows { get; }

    /// <summary>What a masked cell holds (SpecAugment): 0, the mean of normalised features, unless the front-end says otherwise.</summary>
    public virtual double MaskedValue => 0;

    /// <summary>Frames that <paramref name="samples"/> samples give.</summary>
    public abstract long Frames(long samples);
}
