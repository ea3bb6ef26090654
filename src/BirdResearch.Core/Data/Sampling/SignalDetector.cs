namespace BirdResearch.Data;

/// <summary>
/// Finds sound that stands out from a recording's own noise, whatever bird it is. A cell of the spectrogram counts when its power is
/// several times both the usual power of its band in this recording and the middle power of its instant (which takes out gusts, rain
/// and knocks: they fill all bands), and when its neighbours count too. After Sprengel, Jaggi, Kilcher and Hofmann 2016, <i>Audio based
/// bird species identification using deep learning techniques</i>, section 2.1, with a low quantile for the band's usual power, so that
/// a bird that sings most of the time is not taken for noise.
/// </summary>
sealed class SignalDetector
{
    // Raised when the same sound gives other numbers.
    public const int Recipe = 1;

    const int StepsPerSecond = 8;
    const double FrameSeconds = 0.032, StretchSeconds = 120, BandHz = 125;
    // Chosen on the hand-marked recordings and the soundscapes of known truth that the project has.
    const double BandQuantile = 0.35, BandTimes = 8, InstantTimes = 5;
    const int Bands = 3, LeastCells = 6;   // of 3 frames x 3 bands

    readonly PowerSpectrum _spectrum;
    readonly int _hop, _first, _bands, _binsPerBand, _stretch;
    readonly float[] _power;
    readonly List<float> _pending = [];
    readonly List<float[]> _frames = [];
    readonly List<float> _energy = [], _signal = [];

    public SignalDetector(int sampleRate, double lowHz, double highHz)
    {
        var length = 4;
        while (1.5 * length < sampleRate * FrameSeconds) length *= 2;
        (_spectrum, _hop, _power) = (new PowerSpectrum(length), length / 2, new float[length / 2]);
        var binHz = (double)sampleRate / length;
        _binsPerBand = Math.Max(1, (int)Math.Round(BandHz / binHz));
        _first = Math.Min((int)Math.Ceiling(lowHz / binHz), length / 2 - _binsPerBand);
        _bands = Math.Max(1, (Math.Min((int)(highHz / binHz), (int)(0.47 * length)) - _first) / _binsPerBand);
        _stretch = (int)(StretchSeconds * sampleRate / _hop);
        StepSamples = Math.Max(1, sampleRate / StepsPerSecond);
    }

    /// <summary>Samples of a step of the outcome.</summary>
    public int StepSamples { get; }

    /// <summary>Takes the next samples.</summary>
    public void Add(ReadOnlySpan<float> sound)
    {
        _pending.AddRange(sound);
        var samples = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_pending);
        var at = 0;
        for (; at + _spectrum.Length <= samples.Length; at += _hop) _frames.Add(BandsOf(samples.Slice(at, _spectrum.Length)));
        _pending.RemoveRange(0, at);
        while (_frames.Count >= 2 * _stretch) Judge(_stretch);
    }

    /// <summary>The outcome for everything that was added.</summary>
    public SoundActivity Finish(long samples)
    {
        Judge(_frames.Count);
        var steps = (int)Math.Max(1, (samples + StepSamples - 1) / StepSamples);
        var (energy, signal, counts) = (new float[steps], new float[steps], new int[steps]);
        for (var f = 0; f < _energy.Count; f++)
        {
            var step = Math.Min(steps - 1, (int)(((long)f * _hop + _spectrum.Length / 2) / StepSamples));
            energy[step] += _energy[f];
            signal[step] += _signal[f];
            counts[step]++;
        }
        for (var i = 0; i < steps; i++)
            if (counts[i] > 0) (energy[i], signal[i]) = (energy[i] / counts[i], signal[i] / counts[i]);
        return new SoundActivity(StepSamples, energy, signal);
    }

    float[] BandsOf(ReadOnlySpan<float> frame)
    {
        _spectrum.Of(frame, _power);
        var bands = new float[_bands];
        for (var b = 0; b < _bands; b++)
        {
            var sum = 0f;
            foreach (var power in _power.AsSpan(_first + b * _binsPerBand, _binsPerBand)) sum += power;
            bands[b] = sum / _binsPerBand;
        }
        return bands;
    }

    /// <summary>Judges the first frames by their own noise and lets them go.</summary>
    void Judge(int count)
    {
        if (count == 0) return;
        var frames = _frames.GetRange(0, count);
        _frames.RemoveRange(0, count);
        foreach (var frame in frames) _energy.Add(frame.Sum());

        var usual = new float[_bands];
        var row = new float[count];
        for (var b = 0; b < _bands; b++)
        {
            for (var f = 0; f < count; f++) row[f] = frames[f][b];
            usual[b] = (float)(Quantile(row, BandQuantile) * BandTimes);
        }
        var over = new float[count, _bands];   // of a cell that counts: how many times ten its power is over the band's usual one
        for (var f = 0; f < count; f++)
        {
            var middle = Quantile([.. frames[f]], 0.5) * InstantTimes;
            for (var b = 0; b < _bands; b++)
                if (frames[f][b] > usual[b] && frames[f][b] > middle)
                    over[f, b] = MathF.Log10((float)BandTimes * frames[f][b] / usual[b]);
        }
        for (var f = 0; f < count; f++) _signal.Add(Clearness(over, f, count));
    }

    /// <summary>How clearly a frame stands out: the square of the mean excess, in bels, of its clearest neighbourhood where enough cells count, else 0.</summary>
    float Clearness(float[,] over, int frame, int count)
    {
        var most = 0f;
        for (var b = 0; b == 0 || b + Bands <= _bands; b++)
        {
            var (found, sum) = (0, 0f);
            for (var f = Math.Max(0, frame - 1); f <= Math.Min(count - 1, frame + 1); f++)
                for (var j = b; j < Math.Min(_bands, b + Bands); j++)
                    if (over[f, j] > 0) (found, sum) = (found + 1, sum + over[f, j]);
            if (found >= LeastCells) most = Math.Max(most, sum / found);
        }
        return most * most;
    }

    static float Quantile(float[] values, double share)
    {
        Array.Sort(values);
        return values[(int)(share * (values.Length - 1))];
    }
}
