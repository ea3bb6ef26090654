using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BirdResearch.Data;

/// <summary>Measures a sound as it decodes, in memory that does not grow with its length but for the fingerprint (375 bytes a second).</summary>
sealed class SoundMeter : IDisposable
{
    const double Unusable = 1e12;
    readonly ScanSettings _settings;
    readonly int _channels, _rate, _stretch;
    readonly long _constantRun;
    readonly double _nearSilence;
    readonly float[] _last;
    readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    readonly FingerprintMaker _fingerprint;
    float[] _mono = [];
    long _frames, _clipped, _notFinite, _run, _constant, _quietStretches, _stretches;
    double _sum, _squares, _channelSquares, _peak, _stretchSum, _stretchSquares;
    int _inStretch;

    public SoundMeter(ScanSettings settings, int sampleRate, int channels)
    {
        (_settings, _channels, _rate) = (settings, channels, sampleRate);
        _stretch = Math.Max(1, sampleRate / 20);
        _constantRun = Math.Max(2, sampleRate / 100);
        _nearSilence = Math.Pow(10, settings.NearSilenceDb / 10);
        _last = new float[channels];
        _last.AsSpan().Fill(float.NaN);
        _hash.AppendData(BitConverter.GetBytes(sampleRate));
        _fingerprint = new FingerprintMaker(sampleRate);
    }

    public double Seconds => (double)_frames / _rate;

    /// <summary>Takes the next whole frames.</summary>
    public void Add(ReadOnlySpan<float> interleaved)
    {
        var count = interleaved.Length / _channels;
        if (_mono.Length < count) _mono = new float[count];
        var mono = _mono.AsSpan(0, count);
        var clip = (float)_settings.ClipLevel;
        for (var i = 0; i < count; i++)
        {
            var (sum, same) = (0f, true);
            for (var c = 0; c < _channels; c++)
            {
                var x = interleaved[i * _channels + c];
                var size = MathF.Abs(x);
                if (!(size <= Unusable))
                {
                    (_notFinite, x, size) = (_notFinite + 1, 0, 0);
                }
                if (size >= clip) _clipped++;
                if (size > _peak) _peak = size;
                _channelSquares += (double)x * x;
                same &= x == _last[c];
                _last[c] = x;
                sum += x;
            }
            var mean = sum / _channels;
            mono[i] = mean;
            _sum += mean;
            _squares += (double)mean * mean;
            _stretchSum += mean;
            _stretchSquares += (double)mean * mean;
            if (same) _run++;
            else EndRun(1);
            if (++_inStretch == _stretch) EndStretch();
        }
        _frames += count;
        _hash.AppendData(MemoryMarshal.AsBytes(mono));
        _fingerprint.Add(mono);
    }

    /// <summary>The figures of all that was added.</summary>
    public SoundMeasures Finish(SoundMeasures file)
    {
        EndRun(0);
        if (_stretches == 0 && _inStretch > 0) EndStretch();
        var (all, one) = ((double)_frames * _channels, (double)_frames);
        var cancelled = _channels > 1 && _channelSquares > 0 ? -10 * Math.Log10(Math.Max(_squares / one / (_channelSquares / all), 1e-20)) : 0;
        return file with
        {
            SampleRate = _rate,
            Channels = _channels,
            Frames = _frames,
            ClippedShare = _frames > 0 ? _clipped / all : 0,
            DigitalSilence = _frames > 0 ? _constant / one : 0,
            NearSilence = _stretches > 0 ? (double)_quietStretches / _stretches : 0,
            NotFinite = _notFinite,
            Mean = _frames > 0 ? _sum / one : 0,
            Peak = _peak,
            Rms = _frames > 0 ? Math.Sqrt(_squares / one) : 0,
            CancellationDb = Math.Max(0, cancelled),
            SoundHash = _frames > 0 ? Convert.ToHexStringLower(_hash.GetHashAndReset()) : null,
            FingerprintBytes = _fingerprint.Finish().ToBytes(),
        };
    }

    void EndRun(int next)
    {
        if (_run >= _constantRun) _constant += _run;
        _run = next;
    }

    void EndStretch()
    {
        // About its own mean, so that an offset does not pass for sound.
        var mean = _stretchSum / _inStretch;
        if (_stretchSquares / _inStretch - mean * mean < _nearSilence) _quietStretches++;
        _stretches++;
        (_stretchSum, _stretchSquares, _inStretch) = (0, 0, 0);
    }

    public void Dispose() => _hash.Dispose();
}
