using BirdResearch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Kaldi's log mel filter bank (B, T) -> (B, frames, bins) as torchaudio's compliance module computes it, without dither and vocal
/// tract warping. float32 and float64, by the precision of its input. In float32 on the CPU one fused pass computes it; other precisions,
/// and an FFT whose length is no power of two, take torch's operations.
/// </summary>
public sealed class KaldiFbank : nn.Module<Tensor, Tensor>
{
    /// <summary>Smallest energy before the logarithm: the single-precision step, in both precisions.</summary>
    public const double Epsilon = 1.1920928955078125e-07;

    readonly FbankSettings _settings;
    readonly int _length, _shift;
    readonly FixedTensor _window;
    readonly BandedFilters _filters;
    readonly Scalar _epsilon = Epsilon, _preEmphasis, _first;
    readonly Scalar? _energyFloor;
    readonly FrameFilterBank? _fused;

    /// <param name="settings">What to compute.</param>
    /// <param name="sampleRate">Sample rate of the sound in Hz.</param>
    public KaldiFbank(FbankSettings settings, int sampleRate) : base(nameof(KaldiFbank))
    {
        SettingsCheck.Fbank(settings, sampleRate);
        (_settings, SampleRate) = (settings, sampleRate);
        _length = (int)(sampleRate * settings.FrameMilliseconds * 0.001);
        _shift = (int)(sampleRate * settings.ShiftMilliseconds * 0.001);
        Fft = settings.PowerOfTwo ? (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)_length) : _length;
        if (Fft % 2 != 0)
            throw new ArgumentException($"A Kaldi frame of {_length} samples is odd: set PowerOfTwo or change FrameMilliseconds.");
        Weights = FilterWeights(settings, Fft, sampleRate);
        _window = new FixedTensor(Window, _length);
        _filters = new BandedFilters(Weights, settings.Bins, settings.Power ? 2 : 1);
        (_preEmphasis, _first) = (settings.PreEmphasis, 1 - settings.PreEmphasis);
        _energyFloor = settings.EnergyFloor > 0 ? Math.Log(settings.EnergyFloor) : null;
        if (BatchedFft.Takes(Fft)) _fused = new FrameFilterBank(Plan());
        RegisterComponents();
    }

    /// <summary>Sample rate of the sound in Hz.</summary>
    public int SampleRate { get; }

    /// <summary>FFT length in samples.</summary>
    public int Fft { get; }

    /// <summary>What it computes.</summary>
    internal FbankSettings Settings => _settings;

    /// <summary>Samples of a frame.</summary>
    internal int Length => _length;

    /// <summary>Samples between frames.</summary>
    internal int Shift => _shift;

    /// <summary>One factor for each sample of a frame.</summary>
    internal double[] Window => Windows.Named(_settings.Window, _length, periodic: false, _settings.Blackman);

    /// <summary>(Fft / 2 + 1) x bins filter weights, row-major, in double; the Nyquist row is 0.</summary>
    internal double[] Weights { get; }

    /// <summary>Columns: the bins, and the energy where it is asked for.</summary>
    public int Columns => _settings.Bins + (_settings.Energy == EnergyColumn.None ? 0 : 1);

    /// <summary>Filters so narrow that no FFT bin falls into them, 0-based: their columns are constant.</summary>
    public IReadOnlyList<int> EmptyFilters =>
    [
        .. from bin in Enumerable.Range(0, _settings.Bins)
           where Enumerable.Range(0, Fft / 2).All(row => Weights[row * _settings.Bins + bin] == 0)
           select bin,
    ];

    /// <summary>Frames that <paramref name="samples"/> samples give.</summary>
    public long Frames(long samples)
    {
        if (samples < _length)
            throw new ArgumentException(
                $"A clip of {samples} samples is too short for a Kaldi filter bank, whose frame has {_length} samples " +
                $"({_settings.FrameMilliseconds} ms at {SampleRate} Hz): lengthen the clip or shorten the frame.");
        return _settings.SnipEdges ? 1 + (samples - _length) / _shift : (samples + _shift / 2) / _shift;
    }

    /// <summary>Whether there is a fused pass for these settings.</summary>
    public bool IsFused => _fused is not null;

    /// <inheritdoc/>
    public override Tensor forward(Tensor sound)
    {
        using var scope = NewDisposeScope();
        return Transposed(sound).transpose(1, 2).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The same by torch's operations alone, in any precision: the measure of the fused pass.</summary>
    public Tensor Reference(Tensor sound)
    {
        var frames = Frames(SoundBatch.Samples(sound));
        using var withoutGradient = no_grad();
        return SoundBatch.InParts(sound, frames * Fft, part => Fbank(part, frames));
    }

    /// <summary>(B, T) -> (B, columns, frames).</summary>
    internal Tensor Transposed(Tensor sound)
    {
        var frames = Frames(SoundBatch.Samples(sound));
        using var withoutGradient = no_grad();
        using var scope = NewDisposeScope();
        if (_fused is null || !SoundBatch.CanFuse(sound)) return Reference(sound).transpose(1, 2).MoveToOuterDisposeScope();
        var columns = _fused.Apply(sound, (int)frames);                           // (B, bins + 1, F), the energy last
        if (_settings.Energy != EnergyColumn.None)
        {
            var (bins, energy) = (columns.narrow(1, 0, _settings.Bins), columns.narrow(1, _settings.Bins, 1));
            LogOf(energy);
            if (_settings.Energy == EnergyColumn.First) columns = cat([energy, bins], 1);
        }
        if (_settings.SubtractMean) columns = columns - columns.mean([2], keepdim: true);
        return columns.MoveToOuterDisposeScope();
    }

    FramePlan Plan() => new()
    {
        Fft = Fft,
        Hop = _shift,
        Lead = _settings.SnipEdges ? 0 : _length / 2 - _shift / 2,
        Edge = FrameEdge.Mirror,
        Window = Window,
        RemoveMean = _settings.RemoveDc,
        PreEmphasis = _settings.PreEmphasis,
        Weights = Weights,
        Magnitude = !_settings.Power,
        Logarithm = _settings.Log ? new FrameLogarithm(Epsilon) : null,
        Energy = _settings.Energy == EnergyColumn.None ? FrameEnergy.None : _settings.RawEnergy ? FrameEnergy.Raw : FrameEnergy.Windowed,
    };

    Tensor Fbank(Tensor sound, long frames)
    {
        using var scope = NewDisposeScope();
        var framed = Framed(sound).narrow(1, 0, frames);                          // (B, F, length)
        if (_settings.RemoveDc) framed = framed - framed.mean([-1], keepdim: true);
        var raw = framed;
        if (_settings.PreEmphasis != 0)
        {
            var (now, before) = (framed.narrow(2, 1, _length - 1), framed.narrow(2, 0, _length - 1));
            framed = cat([framed.narrow(2, 0, 1) * _first, now - before * _preEmphasis], 2);
        }
        framed = framed * _window.For(sound);

        var parts = fft.rfft(framed, Fft).view_as_real();                         // (B, F, Fft / 2 + 1, 2)
        parts.mul_(parts);
        var spectra = _settings.Power ? parts.flatten(2) : parts.sum([-1]).sqrt_();   // (B, F, Fft + 2) or (B, F, Fft / 2 + 1)
        var mel = _filters.Apply(spectra).transpose(1, 2).contiguous();           // (B, F, bins)
        if (_settings.Log) mel.clamp_(_epsilon).log_();
        if (_settings.Energy != EnergyColumn.None)
        {
            var energy = LogEnergy(_settings.RawEnergy ? raw : framed);           // (B, F, 1)
            mel = cat(_settings.Energy == EnergyColumn.First ? [energy, mel] : [mel, energy], 2);
        }
        if (_settings.SubtractMean) mel = mel - mel.mean([1], keepdim: true);
        return mel.MoveToOuterDisposeScope();                                     // (B, F, columns)
    }

    Tensor Framed(Tensor sound)
    {
        if (_settings.SnipEdges) return sound.unfold(1, _length, _shift);
        // Mirrored with the end sample repeated: [2, 1, 0, 0, 1, 2, ...], which is not torch's "reflect".
        var (mirrored, lead) = (sound.flip(1), _length / 2 - _shift / 2);
        var samples = sound.shape[1];
        var longer = lead > 0
            ? cat([mirrored.narrow(1, samples - lead, lead), sound, mirrored], 1)
            : cat([sound.narrow(1, -lead, samples + lead), mirrored], 1);
        return longer.unfold(1, _length, _shift);
    }

    Tensor LogEnergy(Tensor framed) => LogOf((framed * framed).sum([-1], keepdim: true));

    Tensor LogOf(Tensor energy)                                                   // in place
    {
        energy.clamp_(_epsilon).log_();
        return _energyFloor is null ? energy : energy.clamp_(_energyFloor);
    }

    // Triangles linear in mel, unlike those of a mel spectrogram, with a peak of 1 and nothing at the Nyquist bin.
    static double[] FilterWeights(FbankSettings settings, int fft, int sampleRate)
    {
        static double Mel(double hz) => 1127 * Math.Log(1 + hz / 700);
        var low = Mel(settings.MinHz);
        var high = Mel(settings.MaxHz > 0 ? settings.MaxHz : sampleRate / 2.0 + settings.MaxHz);
        var step = (high - low) / (settings.Bins + 1);
        var weights = new double[(fft / 2 + 1) * settings.Bins];
        for (var row = 0; row < fft / 2; row++)
        {
            var mel = Mel((double)sampleRate / fft * row);
            for (var bin = 0; bin < settings.Bins; bin++)
                weights[row * settings.Bins + bin] = Math.Max(0, 1 - Math.Abs(mel - (low + (bin + 1) * step)) / step);
        }
        return weights;
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
