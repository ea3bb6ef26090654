namespace BirdResearch.Features;

/// <summary>What the running mean of a band's energy holds before the first frame.</summary>
public enum PcenStart
{
    /// <summary>The first frame's energy, so that a clip does not begin with an onset that is not in it.</summary>
    FirstFrame,

    /// <summary>1, as librosa's <c>pcen</c> starts its filter (<c>lfilter_zi</c>, not scaled by the first frame).</summary>
    One,
}

/// <summary>
/// Per-channel energy normalisation, <c>(E / (eps + M)^gain + bias)^power - bias^power</c> with <c>M_t = (1 - s) M_{t-1} + s E_t</c> band by band
/// (Wang et al. 2017, arXiv 1607.05666, equations 1 and 2; Lostanlen et al. 2019, <i>Per-Channel Energy Normalization: Why and How</i>), in
/// place of decibels. The defaults are librosa's but for the start.
/// </summary>
public sealed record PcenSettings
{
    /// <summary>Exponent of the gain control (alpha), in [0, 1]: 1 takes all of the slow changes of loudness off.</summary>
    public double Gain { get; init; } = 0.98;

    /// <summary>Bias before the root (delta), above 0.</summary>
    public double Bias { get; init; } = 2;

    /// <summary>Exponent of the compression (r), above 0 and at most 1.</summary>
    public double Power { get; init; } = 0.5;

    /// <summary>Time constant of the running mean in seconds; <see cref="Smoothing"/> follows from it as in librosa.</summary>
    public double TimeConstantSeconds { get; init; } = 0.4;

    /// <summary>Weight s of the newest frame in the running mean, above 0 and at most 1; null takes it from the time constant.</summary>
    public double? Smoothing { get; init; }

    /// <summary>Added to the running mean (eps).</summary>
    public double Epsilon { get; init; } = 1e-6;

    /// <summary>Factor on the energies first: librosa's defaults are for sound in the range of 32-bit integers, not of [-1, 1].</summary>
    public double Scale { get; init; } = 2147483648;

    /// <summary>Where the running mean starts.</summary>
    public PcenStart Start { get; init; } = PcenStart.FirstFrame;

    /// <summary>The weight of the newest frame, for frames that many seconds apart.</summary>
    public double SmoothingFor(double frameSeconds)
    {
        if (Smoothing is { } given) return given;
        var frames = TimeConstantSeconds / frameSeconds;
        return (Math.Sqrt(1 + (4 * frames * frames)) - 1) / (2 * frames * frames);
    }
}
