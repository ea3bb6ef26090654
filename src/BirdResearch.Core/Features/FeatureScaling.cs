using BirdResearch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>Applies a <see cref="Normalisation"/> to (B, rows, frames) and adds the channel axis.</summary>
sealed class FeatureScaling(FrontEndSettings settings)
{
    const double Epsilon = 1e-5;

    readonly Scalar _mean = settings.Mean;
    readonly Scalar _inverseStd = 1 / settings.Std;
    readonly Scalar _epsilon = Epsilon;

    /// <summary>(B, rows, frames) -> (B, channels, rows, frames).</summary>
    public Tensor Apply(Tensor features)
    {
        using var scope = NewDisposeScope();
        var scaled = settings.Normalisation switch
        {
            Normalisation.PerClip when SoundBatch.CanFuse(features) => ClipScaling.Standardised(features.contiguous(), Epsilon),
            Normalisation.PerClip => PerClip(features),
            Normalisation.Peak => Peak(features),
            Normalisation.Fixed => (features - _mean).mul_(_inverseStd),
            _ => features,
        };
        var image = scaled.unsqueeze(1);                                           // (B, 1, rows, frames)
        return (settings.Channels == 1 ? image : image.repeat(1, settings.Channels, 1, 1)).MoveToOuterDisposeScope();
    }

    Tensor PerClip(Tensor features)
    {
        var centred = Centred(features);                                           // (B, rows, frames)
        var std = (centred * centred).mean([-2, -1], keepdim: true).sqrt_();          // (B, 1, 1)
        return centred.div_(std.Plus(Epsilon));
    }

    Tensor Peak(Tensor features)
    {
        var centred = Centred(features);                                           // (B, rows, frames)
        var peak = centred.abs().amax([-2, -1], keepdim: true);                    // (B, 1, 1)
        return centred.div_(peak.clamp_min_(_epsilon));
    }

    // The peak comes off first, which changes no result but makes a constant clip exactly 0 throughout.
    static Tensor Centred(Tensor features)
    {
        var centred = features - features.amax([-2, -1], keepdim: true);
        return centred.sub_(centred.mean([-2, -1], keepdim: true));
    }
}
