using BirdResearch.Features;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>
/// The mel front-end as torchaudio composes it, the yardstick of our own: torch's stft, squared magnitudes, one full product with the
/// filters, decibels, and each clip's mean and deviation.
/// </summary>
public sealed class PlainMel
{
    readonly FrontEndSettings _settings;
    readonly Decibels _decibels;
    readonly Tensor _window;            // (fft)
    readonly Tensor _filters;           // (mels, bins)
    readonly Scalar _two = 2;

    /// <param name="settings">Power mel with reflection at the ends and decibels, as the catalogue's <c>mel</c> is.</param>
    public PlainMel(FrontEndSettings settings)
    {
        _settings = settings;
        var mel = settings.Mel;
        var filters = new MelFilters(mel.Mels, mel.Fft / 2 + 1, settings.SampleRate, mel.MinHz, mel.MaxHz, mel.Scale, mel.Norm);
        _decibels = new Decibels(mel.TopDb);
        _window = tensor(Windows.Named(mel.Window, mel.Fft, periodic: true), dtype: ScalarType.Float32);
        _filters = tensor(filters.Weights.ToArray(), dtype: ScalarType.Float32).reshape(filters.Bins, filters.Mels).t().contiguous();
    }

    /// <summary>(B, T) -> (B, 1, mels, frames).</summary>
    public Tensor Features(Tensor sound)
    {
        using var scope = NewDisposeScope();
        var mel = _settings.Mel;
        var spectra = stft(sound, mel.Fft, mel.Hop, mel.Fft, _window, pad_mode: PaddingModes.Reflect, return_complex: true);   // (B, bins, F)
        var decibels = _decibels.Of(matmul(_filters, spectra.abs().pow(_two)));                              // (B, mels, F)
        var centred = decibels - decibels.mean([-2, -1], keepdim: true);
        return (centred / centred.std([-2L, -1L], keepdim: true)).unsqueeze(1).MoveToOuterDisposeScope();
    }
}
