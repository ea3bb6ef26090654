namespace BirdResearch.Features;

/// <summary>Triangular mel filters, linear in Hz between neighbouring mel points, as librosa and torchaudio make them; in double.</summary>
public sealed class MelFilters
{
    // Slaney's scale (Auditory Toolbox): linear below 1 kHz, 27 logarithmic steps from 1 to 6.4 kHz.
    const double LinearHzPerMel = 200.0 / 3, BreakHz = 1000, BreakMel = BreakHz / LinearHzPerMel;
    static readonly double LogStep = Math.Log(6.4) / 27;

    readonly double[] _pointsHz;
    readonly double[] _weights;

    /// <param name="mels">Number of filters.</param>
    /// <param name="bins">Number of FFT bins, evenly spaced from 0 Hz to half the sample rate.</param>
    /// <param name="sampleRate">Sample rate in Hz.</param>
    /// <param name="minHz">Lower edge of the first filter in Hz.</param>
    /// <param name="maxHz">Upper edge of the last filter in Hz.</param>
    /// <param name="scale"><c>htk</c> or <c>slaney</c>.</param>
    /// <param name="norm"><c>slaney</c> scales each filter to unit area in Hz, <c>none</c> leaves a peak of 1.</param>
    public MelFilters(int mels, int bins, int sampleRate, double minHz, double maxHz, string scale, string norm)
    {
        var low = HzToMel(minHz, scale);
        var high = HzToMel(maxHz, scale);
        (Mels, Bins) = (mels, bins);
        _pointsHz = [.. Enumerable.Range(0, mels + 2).Select(i => MelToHz(low + (high - low) * i / (mels + 1), scale))];
        _weights = new double[bins * mels];
        for (var bin = 0; bin < bins; bin++)
        {
            var hz = sampleRate / 2.0 * bin / (bins - 1);
            for (var mel = 0; mel < mels; mel++)
            {
                double left = _pointsHz[mel], centre = _pointsHz[mel + 1], right = _pointsHz[mel + 2];
                var height = Math.Max(0, Math.Min((hz - left) / (centre - left), (right - hz) / (right - centre)));
                _weights[bin * mels + mel] = norm switch
                {
                    "slaney" => height * 2 / (right - left),
                    "none" => height,
                    _ => throw new ArgumentException($"Mel norm '{norm}' is unknown: take slaney or none."),
                };
            }
        }
    }

    /// <summary>Number of filters.</summary>
    public int Mels { get; }

    /// <summary>Number of FFT bins.</summary>
    public int Bins { get; }

    /// <summary>Mels + 2 points in Hz, even in mel: filter i rises from point i to its centre at i + 1 and falls to i + 2.</summary>
    public ReadOnlySpan<double> PointsHz => _pointsHz;

    /// <summary>Bins x mels weights, row-major.</summary>
    public ReadOnlySpan<double> Weights => _weights;

    /// <summary>The mel of a frequency on the <c>htk</c> or <c>slaney</c> scale.</summary>
    public static double HzToMel(double hz, string scale) => scale switch
    {
        "htk" => 2595 * Math.Log10(1 + hz / 700),
        "slaney" => hz < BreakHz ? hz / LinearHzPerMel : BreakMel + Math.Log(hz / BreakHz) / LogStep,
        _ => throw UnknownScale(scale),
    };

    /// <summary>The inverse of <see cref="HzToMel"/>.</summary>
    public static double MelToHz(double mel, string scale) => scale switch
    {
        "htk" => 700 * (Math.Pow(10, mel / 2595) - 1),
        "slaney" => mel < BreakMel ? mel * LinearHzPerMel : BreakHz * Math.Exp((mel - BreakMel) * LogStep),
        _ => throw UnknownScale(scale),
    };

    static ArgumentException UnknownScale(string scale) => new($"Mel scale '{scale}' is unknown: take htk or slaney.");
}
