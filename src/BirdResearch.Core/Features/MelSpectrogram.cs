using BirdResearch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Mel spectrogram (B, T) -> (B, mels, frames) as torchaudio and librosa define it: in dB when the settings have a <c>TopDb</c>, else
/// in power or magnitude. float32 and float64, by the precision of its input. In float32 on the CPU one fused pass computes it; other
/// precisions, and settings that the pass does not cover, take torch's operations.
/// </summary>
public sealed class MelSpectrogram : nn.Module<Tensor, Tensor>
{
    readonly MelSettings _settings;
    readonly PaddingModes _padding;
    readonly FixedTensor _window;
    readonly BandedFilters _filters;
    readonly Decibels? _decibels;
    readonly Scalar _halfPower;
    readonly FrameFilterBank? _fused;

    /// <param name="settings">What to compute.</param>
    /// <param name="sampleRate">Sample rate of the sound in Hz.</param>
    public MelSpectrogram(MelSettings settings, int sampleRate) : base(nameof(MelSpectrogram))
    {
        SettingsCheck.Mel(settings);
        (_settings, SampleRate) = (settings, sampleRate);
        _padding = settings.Padding switch
        {
            "reflect" => PaddingModes.Reflect,
            "constant" => PaddingModes.Constant,
            "replicate" => PaddingModes.Replicate,
            _ => PaddingModes.Circular,
        };
        Filters = new MelFilters(
            settings.Mels, settings.Fft / 2 + 1, sampleRate, settings.MinHz, settings.MaxHz, settings.Scale, settings.Norm);
        _window = new FixedTensor(PaddedWindow(settings), settings.Fft);
        _filters = new BandedFilters(Filters.Weights, settings.Mels, settings.Power == 2 ? 2 : 1);
        _decibels = settings.TopDb is { } topDb ? new Decibels(topDb, multiplier: settings.Power == 1 ? 20 : 10) : null;
        _halfPower = settings.Power / 2;
        if (BatchedFft.Takes(settings.Fft) && settings.Power is 1 or 2) _fused = new FrameFilterBank(Plan(settings, Filters));
        RegisterComponents();
    }

    /// <summary>What it computes.</summary>
    internal MelSettings Settings => _settings;

    /// <summary>Sample rate of the sound in Hz.</summary>
    public int SampleRate { get; }

    /// <summary>The filter bank.</summary>
    public MelFilters Filters { get; }

    /// <summary>Frames of <paramref name="samples"/> samples: <c>1 + samples / hop</c>, or without centring as many as fit whole.</summary>
    public long Frames(long samples)
    {
        var least = LeastSamples();
        if (samples < least)
            throw new ArgumentException(
                $"A clip of {samples} samples is too short for a mel spectrogram with an FFT of {_settings.Fft} and " +
                $"{(_settings.Centre ? _settings.Padding : "no")} padding, which needs {least}: lengthen the clip or shorten the FFT.");
        return 1 + (_settings.Centre ? samples : samples - _settings.Fft) / _settings.Hop;
    }

    /// <summary>Those frames whose centre lies within the clip: <c>ceil(samples / hop)</c> at most.</summary>
    internal long FramesWithin(long samples) => Math.Min(Frames(samples), (samples + _settings.Hop - 1) / _settings.Hop);

    /// <summary>Whether there is a fused pass for these settings.</summary>
    public bool IsFused => _fused is not null;

    /// <inheritdoc/>
    public override Tensor forward(Tensor sound) => First(sound, Frames(SoundBatch.Samples(sound)));

    /// <summary>The same by torch's operations alone, in any precision: the measure of the fused pass.</summary>
    public Tensor Reference(Tensor sound) => Reference(sound, Frames(SoundBatch.Samples(sound)));

    /// <summary>The first <paramref name="frames"/> frames: (B, T) -> (B, mels, frames).</summary>
    internal Tensor First(Tensor sound, long frames)
    {
        if (_fused is null || !SoundBatch.CanFuse(sound)) return Reference(sound, frames);
        var bands = _fused.Apply(sound, (int)frames);                                                 // (B, mels, frames)
        if (_settings.TopDb is { } topDb) ClipScaling.LiftToFloor(bands, topDb);
        return bands;
    }

    Tensor Reference(Tensor sound, long frames)
    {
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        var power = SoundBatch.InParts(sound, frames * _settings.Fft, part => Power(part, frames));   // (B, mels, frames)
        return (_decibels?.Of(power) ?? power).MoveToOuterDisposeScope();
    }

    /// <summary>Smallest clip: reflection must not run past the other end, and a frame must fit where nothing is padded.</summary>
    long LeastSamples() => (_settings.Centre, _settings.Padding) switch
    {
        (false, _) => _settings.Fft,
        (true, "reflect") => _settings.Fft / 2 + 1,
        (true, "circular") => _settings.Fft / 2,
        _ => 1,
    };

    Tensor Power(Tensor sound, long frames)
    {
        using var scope = NewDisposeScope();
        var half = _settings.Fft / 2;
        var padded = _settings.Centre ? nn.functional.pad(sound, (half, half), _padding) : sound;   // (B, T + fft)
        var windowed = padded.unfold(1, _settings.Fft, _settings.Hop).narrow(1, 0, frames) * _window.For(sound);   // (B, F, fft)
        var parts = fft.rfft(windowed).view_as_real();                         // (B, F, bins, 2)
        parts.mul_(parts);
        var spectra = _settings.Power == 2 ? parts.flatten(2) : parts.sum([-1]).pow_(_halfPower);   // (B, F, 2 bins) or (B, F, bins)
        return _filters.Apply(spectra).MoveToOuterDisposeScope();              // (B, mels, F)
    }

    static FramePlan Plan(MelSettings settings, MelFilters filters) => new()
    {
        Fft = settings.Fft,
        Hop = settings.Hop,
        Lead = settings.Centre ? settings.Fft / 2 : 0,
        Edge = settings.Padding switch
        {
            "reflect" => FrameEdge.Reflect,
            "constant" => FrameEdge.Zeros,
            "replicate" => FrameEdge.Replicate,
            _ => FrameEdge.Circular,
        },
        Window = PaddedWindow(settings),
        Weights = filters.Weights.ToArray(),
        Magnitude = settings.Power == 1,
        Logarithm = settings.TopDb is null ? null : new FrameLogarithm(Decibels.Smallest, (settings.Power == 1 ? 20 : 10) / Math.Log(10)),
    };

    /// <summary>The window, centred in the FFT's length.</summary>
    internal static double[] PaddedWindow(MelSettings settings)
    {
        var length = settings.WindowLength ?? settings.Fft;
        var window = Windows.Named(settings.Window, length, periodic: true);
        var scale = settings.UnitWindow ? 1 / Math.Sqrt(window.Sum(w => w * w)) : 1;
        var padded = new double[settings.Fft];
        for (var i = 0; i < length; i++) padded[(settings.Fft - length) / 2 + i] = window[i] * scale;
        return padded;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _window.Dispose();
            _filters.Dispose();
        }
        base.Dispose(disposing);
    }
}
