using BirdResearch.Audio;

namespace BirdResearch.Data;

/// <summary>Makes a <see cref="Fingerprint"/> from mono sound that comes in pieces of any size; the result does not depend on the pieces.</summary>
sealed class FingerprintMaker
{
    const int Bands = 33, Slab = 1 << 15, SureBits = 20, MarkReach = 7;
    const double LowestHz = 400, HighestHz = 7600;
    const float SilentPower = 1e-9f;   // -90 dB of full scale over the bands: below it there is only a codec's dust

    static readonly int[] _edges = [.. Enumerable.Range(0, Bands + 1).Select(m =>
        (int)Math.Round(LowestHz * Math.Pow(HighestHz / LowestHz, (double)m / Bands) * Fingerprint.FrameSamples / Fingerprint.SampleRate))];
    static readonly float[] _window = [.. Enumerable.Range(0, Fingerprint.FrameSamples).Select(i =>
        (float)(0.5 - 0.5 * Math.Cos(2 * Math.PI * i / Fingerprint.FrameSamples)))];
    static readonly Fourier _fourier = new(Fingerprint.FrameSamples);

    readonly Resampler? _resampler;
    readonly float[] _re = new float[Fingerprint.FrameSamples], _im = new float[Fingerprint.FrameSamples];
    readonly List<uint> _bits = [], _sure = [], _peaks = [];
    readonly List<float> _change = [];
    float[] _own = [], _sound = [];         // at the file's rate and at ours, from _ownStart on and from the next frame on
    int _ownCount, _soundCount;
    long _ownStart, _made, _taken;
    float[] _energy = new float[Bands], _before = new float[Bands];
    bool _hasBefore;

    public FingerprintMaker(int sampleRate) =>
        _resampler = sampleRate == Fingerprint.SampleRate ? null : Resampler.Between(sampleRate, Fingerprint.SampleRate);

    public void Add(ReadOnlySpan<float> mono)
    {
        _taken += mono.Length;
        if (_resampler is null)
        {
            Append(ref _sound, ref _soundCount, mono);
            Frames();
            return;
        }
        Append(ref _own, ref _ownCount, mono);
        while (_resampler.Needs(_made, Slab).End <= _taken) Resample(Slab);
    }

    public Fingerprint Finish()
    {
        if (_resampler is not null)
            while (_resampler.LengthOf(_taken) - _made is > 0 and var left) Resample((int)Math.Min(left, Slab));
        return new Fingerprint([.. _bits], [.. _sure], Marked());
    }

    void Resample(int count)
    {
        Append(ref _sound, ref _soundCount, _resampler!.Resample(_own.AsSpan(0, _ownCount), _ownStart, _made, count));
        _made += count;
        var drop = (int)Math.Clamp(_resampler.Needs(_made, 1).First - _ownStart, 0, _ownCount);
        _own.AsSpan(drop, _ownCount - drop).CopyTo(_own);
        (_ownStart, _ownCount) = (_ownStart + drop, _ownCount - drop);
        Frames();
    }

    void Frames()
    {
        var at = 0;
        for (; at + Fingerprint.FrameSamples <= _soundCount; at += Fingerprint.Hop) Frame(_sound.AsSpan(at, Fingerprint.FrameSamples));
        _sound.AsSpan(at, _soundCount - at).CopyTo(_sound);
        _soundCount -= at;
    }

    void Frame(ReadOnlySpan<float> samples)
    {
        for (var i = 0; i < samples.Length; i++) _re[i] = samples[i] * _window[i];
        Array.Clear(_im);
        _fourier.Transform(_re, _im);
        var total = 0f;
        for (var m = 0; m < Bands; m++)
        {
            var sum = 0f;
            for (var k = _edges[m]; k < _edges[m + 1]; k++) sum += _re[k] * _re[k] + _im[k] * _im[k];
            total += sum;
            _energy[m] = sum;
        }
        // Parseval over one side of a Hann-windowed frame: power = 2 Σ|X|² / (N · Σw²) with Σw² = 3N/8.
        var power = total * 2 / (Fingerprint.FrameSamples * (0.375f * Fingerprint.FrameSamples));
        var sounds = power > SilentPower;
        if (_hasBefore) AddBits(sounds);
        (_energy, _before, _hasBefore) = (_before, _energy, true);
    }

    void AddBits(bool sounds)
    {
        Span<float> difference = stackalloc float[Bands - 1];
        Span<float> size = stackalloc float[Bands - 1];
        var bits = 0u;
        for (var m = 0; m < Bands - 1; m++)
        {
            var d = MathF.Sqrt(_energy[m]) - MathF.Sqrt(_energy[m + 1]) - (MathF.Sqrt(_before[m]) - MathF.Sqrt(_before[m + 1]));
            if (d > 0) bits |= 1u << m;
            size[m] = difference[m] = MathF.Abs(d);
        }
        size.Sort();
        var least = size[Bands - 1 - SureBits];
        var sure = 0u;
        for (var m = 0; m < Bands - 1; m++)
            if (difference[m] >= least && difference[m] > 0) sure |= 1u << m;
        _bits.Add(bits);
        _sure.Add(sounds ? sure : 0);
        _peaks.Add(sounds ? Strongest(difference, size, bits) : 0);
        _change.Add(sounds ? Sum(difference) : 0);
    }

    /// <summary>The five strongest changes by band: five bits of band and one of sign each.</summary>
    static uint Strongest(ReadOnlySpan<float> difference, ReadOnlySpan<float> sorted, uint bits)
    {
        var least = sorted[^Fingerprint.PeaksPerFrame];
        var (packed, count) = (0u, 0);
        for (var m = 0; m < difference.Length && count < Fingerprint.PeaksPerFrame; m++)
        {
            if (difference[m] < least) continue;
            packed = packed << 6 | (uint)m << 1 | bits >> m & 1;
            count++;
        }
        return packed;
    }

    /// <summary>Keeps the strongest changes where the sum of changes is a peak of half a second, and beside it.</summary>
    uint[] Marked()
    {
        var marked = new uint[_peaks.Count];
        for (var i = 0; i < marked.Length; i++)
        {
            if (_change[i] == 0) continue;
            var (isPeak, from, to) = (true, Math.Max(0, i - MarkReach), Math.Min(marked.Length - 1, i + MarkReach));
            for (var j = from; j <= to && isPeak; j++) isPeak = _change[j] <= _change[i];
            if (!isPeak) continue;
            for (var j = Math.Max(0, i - 1); j <= Math.Min(marked.Length - 1, i + 1); j++) marked[j] = _peaks[j];
        }
        return marked;
    }

    static float Sum(ReadOnlySpan<float> values)
    {
        var sum = 0f;
        foreach (var value in values) sum += value;
        return sum;
    }

    static void Append(ref float[] buffer, ref int count, ReadOnlySpan<float> more)
    {
        if (count + more.Length > buffer.Length) Array.Resize(ref buffer, Math.Max(count + more.Length, 2 * buffer.Length));
        more.CopyTo(buffer.AsSpan(count));
        count += more.Length;
    }
}
