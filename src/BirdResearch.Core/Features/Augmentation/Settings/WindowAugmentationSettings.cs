namespace BirdResearch.Features;

/// <summary>Settings of <see cref="Features.TimeShift"/>.</summary>
public sealed record TimeShiftSettings
{
    /// <summary>Probability that a clip is turned.</summary>
    public double Probability { get; init; } = 0.5;
}

/// <summary>Settings of <see cref="Features.Speed"/>.</summary>
public sealed record SpeedSettings
{
    /// <summary>Probability that a clip's speed is changed.</summary>
    public double Probability { get; init; }

    /// <summary>Slowest speed; below 1 is slower and lower than it was.</summary>
    public double MinFactor { get; init; } = 0.9;

    /// <summary>Fastest speed; above 1 is faster and higher than it was.</summary>
    public double MaxFactor { get; init; } = 1.1;
}

/// <summary>Settings of <see cref="Features.TimeStretch"/>.</summary>
public sealed record TimeStretchSettings
{
    /// <summary>Probability that a clip is stretched.</summary>
    public double Probability { get; init; }

    /// <summary>Slowest tempo, below 1 slower than it was.</summary>
    public double MinFactor { get; init; } = 0.8;

    /// <summary>Fastest tempo, above 1 faster than it was.</summary>
    public double MaxFactor { get; init; } = 1.25;
}

/// <summary>Settings of <see cref="Features.PitchShift"/>.</summary>
public sealed record PitchShiftSettings
{
    /// <summary>Probability that a clip's pitch is moved.</summary>
    public double Probability { get; init; }

    /// <summary>Farthest down, in semitones.</summary>
    public double MinSemitones { get; init; } = -2;

    /// <summary>Farthest up, in semitones.</summary>
    public double MaxSemitones { get; init; } = 2;
}

/// <summary>Settings of <see cref="Features.Reverberation"/>.</summary>
public sealed record ReverberationSettings
{
    /// <summary>Probability that a clip gets a room.</summary>
    public double Probability { get; init; }

    /// <summary>Shortest time in seconds in which the sound falls by 60 dB.</summary>
    public double MinRt60 { get; init; } = 0.2;

    /// <summary>Longest time in seconds in which the sound falls by 60 dB.</summary>
    public double MaxRt60 { get; init; } = 1.0;

    /// <summary>Smallest share of the power that the room gives.</summary>
    public double MinWet { get; init; } = 0.05;

    /// <summary>Largest share of the power that the room gives.</summary>
    public double MaxWet { get; init; } = 0.4;
}

/// <summary>Where backgrounds come from.</summary>
public enum BackgroundSource
{
    /// <summary>The data set's soundscapes without labels.</summary>
    Unlabelled,

    /// <summary>Other recordings of the training side. Their birds are heard without being labelled, so keep them faint.</summary>
    Training,
}

/// <summary>Settings of <see cref="Features.Background"/>.</summary>
public sealed record BackgroundSettings
{
    /// <summary>Probability that a clip gets a background.</summary>
    public double Probability { get; init; }

    /// <summary>Smallest ratio of the clip's power to the background's, in dB.</summary>
    public double MinSnrDb { get; init; } = 3;

    /// <summary>Largest ratio of the clip's power to the background's, in dB.</summary>
    public double MaxSnrDb { get; init; } = 30;

    /// <summary>Where it comes from.</summary>
    public BackgroundSource Source { get; init; } = BackgroundSource.Unlabelled;
}

/// <summary>Settings of <see cref="ColouredNoise"/>.</summary>
public sealed record NoiseSettings
{
    /// <summary>Probability that a clip gets noise.</summary>
    public double Probability { get; init; }

    /// <summary>Smallest ratio of the clip's power to the noise's, in dB.</summary>
    public double MinSnrDb { get; init; } = 3;

    /// <summary>Largest ratio of the clip's power to the noise's, in dB.</summary>
    public double MaxSnrDb { get; init; } = 30;

    /// <summary>Colours to choose from, alike often, separated by spaces: <c>white pink brown blue violet</c>.</summary>
    public string Colours { get; init; } = "white pink brown blue violet";
}

/// <summary>Settings of <see cref="Features.GaussianNoise"/>.</summary>
public sealed record GaussianNoiseSettings
{
    /// <summary>Probability that a clip gets noise.</summary>
    public double Probability { get; init; }

    /// <summary>Smallest ratio of the clip's power to the noise's, in dB.</summary>
    public double MinSnrDb { get; init; } = 3;

    /// <summary>Largest ratio of the clip's power to the noise's, in dB.</summary>
    public double MaxSnrDb { get; init; } = 30;
}

/// <summary>Settings of <see cref="Features.HighPass"/>.</summary>
public sealed record HighPassSettings
{
    /// <summary>Probability that a clip is filtered.</summary>
    public double Probability { get; init; }

    /// <summary>Lowest cut-off in Hz (3 dB down).</summary>
    public double MinHz { get; init; } = 100;

    /// <summary>Highest cut-off in Hz (3 dB down).</summary>
    public double MaxHz { get; init; } = 1_500;

    /// <summary>Order of the Butterworth filter: 6 dB an octave for each, an even number.</summary>
    public int Order { get; init; } = 4;
}

/// <summary>Settings of <see cref="Features.LowPass"/>.</summary>
public sealed record LowPassSettings
{
    /// <summary>Probability that a clip is filtered.</summary>
    public double Probability { get; init; }

    /// <summary>Lowest cut-off in Hz (3 dB down).</summary>
    public double MinHz { get; init; } = 4_000;

    /// <summary>Highest cut-off in Hz (3 dB down).</summary>
    public double MaxHz { get; init; } = 14_000;

    /// <summary>Order of the Butterworth filter: 6 dB an octave for each, an even number.</summary>
    public int Order { get; init; } = 4;
}

/// <summary>Settings of <see cref="Features.Equaliser"/>.</summary>
public sealed record EqualiserSettings
{
    /// <summary>Probability that a clip is equalised.</summary>
    public double Probability { get; init; }

    /// <summary>Bands that are raised or lowered.</summary>
    public int Bands { get; init; } = 3;

    /// <summary>Most that a band is raised or lowered, in dB.</summary>
    public double MaxGainDb { get; init; } = 9;

    /// <summary>Lowest middle of a band in Hz.</summary>
    public double MinHz { get; init; } = 200;

    /// <summary>Highest middle of a band in Hz.</summary>
    public double MaxHz { get; init; } = 12_000;

    /// <summary>Quality of the widest band: its middle over its width.</summary>
    public double MinQ { get; init; } = 0.5;

    /// <summary>Quality of the narrowest band.</summary>
    public double MaxQ { get; init; } = 2;
}

/// <summary>Settings of <see cref="Features.Gain"/>.</summary>
public sealed record GainSettings
{
    /// <summary>Probability that a clip's level is changed.</summary>
    public double Probability { get; init; }

    /// <summary>Softest, in dB.</summary>
    public double MinDb { get; init; } = -12;

    /// <summary>Loudest, in dB.</summary>
    public double MaxDb { get; init; } = 12;
}

/// <summary>Settings of <see cref="Features.Polarity"/>.</summary>
public sealed record PolaritySettings
{
    /// <summary>Probability that every sample changes its sign.</summary>
    public double Probability { get; init; }
}
