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

    /// <summary>Windows of training sound that <see cref="Fit"/> asks for; 0 for a front-end that learns nothing from them.</summary>
    public virtual int FitClips => 0;

    /// <summary>Whether it can be used: true from the start unless it has to be fitted, or given a fitted state, first.</summary>
    public virtual bool IsFitted => true;

    /// <summary>Whether <see cref="Fit"/> asks for sound of the domain that a model is meant for as well.</summary>
    public virtual bool NeedsTarget => false;

    /// <summary>Frames that <paramref name="samples"/> samples give.</summary>
    public abstract long Frames(long samples);

    /// <summary>
    /// Learns what it needs from training sound, a pure function of that sound and the settings. What it learns are buffers of the state
    /// dictionary, and loading them serves as well.
    /// </summary>
    /// <param name="trainingSound">Batches (B, T) of the training side of a split, at least one; never of what is held out.</param>
    /// <param name="targetSound">The same of soundscapes without labels, where <see cref="NeedsTarget"/>.</param>
    public virtual void Fit(IEnumerable<Tensor> trainingSound, IEnumerable<Tensor>? targetSound = null)
    {
    }

    /// <summary>
    /// Features of sound of the training's own domain: what the front-end gives of any sound, unless it matches the bands of that domain to those
    /// that a model is meant for (<see cref="BandMatching"/>).
    /// </summary>
    /// <param name="sound">(B, T).</param>
    /// <param name="rows">Which of the B clips are of that domain; null for all.</param>
    public virtual Tensor OfTraining(Tensor sound, IReadOnlyList<bool>? rows = null) => forward(sound);
}
