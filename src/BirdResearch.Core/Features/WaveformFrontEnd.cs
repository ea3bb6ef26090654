using BirdResearch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Raw sound for models that read samples: (B, T) to (B, channels, 1, T), one row and a frame per sample. It is encoded first and
/// normalised then; each clip to mean 0 and root-mean-square 1 where nothing else is set.
/// </summary>
public sealed class WaveformFrontEnd : ScaledFrontEnd
{
    const int LeastSeconds = 100;                       // a hundredth of a second

    readonly Scalar _mu, _inverseLog, _steps, _inverseSteps, _one = 1, _minusOne = -1;

    /// <param name="settings">What to compute; see <see cref="FrontEnds"/>.</param>
    public WaveformFrontEnd(FrontEndSettings settings) : base("waveform", settings)
    {
        _mu = settings.Waveform.Mu;
        _inverseLog = 1 / Math.Log(1 + settings.Waveform.Mu);
        var half = ((settings.Waveform.Levels ?? 2) - 1) / 2.0;
        (_steps, _inverseSteps) = (half, 1 / half);
        RegisterComponents();
        Complete();
    }

    /// <inheritdoc/>
    public override int Rows => 1;

    /// <inheritdoc/>
    public override long Frames(long samples)
    {
        var least = SampleRate / LeastSeconds;
        if (samples < least)
            throw new ArgumentException($"{samples} samples are fewer than the {least} of 10 ms at {SampleRate} Hz: lengthen the clip.");
        return samples;
    }

    private protected override Tensor RowsOf(Tensor sound, long frames)      // (B, T) -> (B, 1, T)
    {
        using var scope = NewDisposeScope();
        var encoded = Settings.Waveform.Encoding == "mu-law" ? Compress(sound) : sound;
        return encoded.unsqueeze(1).MoveToOuterDisposeScope();
    }

    Tensor Compress(Tensor sound)                                            // (B, T), to [-1, 1]
    {
        var cut = sound.clamp(_minusOne, _one);
        var compressed = cut.abs().mul_(_mu).log1p_().mul_(_inverseLog).mul_(cut.sign());
        if (Settings.Waveform.Levels is null) return compressed;
        return compressed.Plus(1).mul_(_steps).round_().mul_(_inverseSteps).sub_(_one);   // level 0 is -1, the last is 1
    }
}
