namespace BirdResearch.Kernels;

/// <summary>What a <see cref="FrameFilterBank"/> computes of each frame.</summary>
public sealed record FramePlan
{
    /// <summary>FFT length, a power of two that <see cref="BatchedFft"/> takes.</summary>
    public required int Fft { get; init; }

    /// <summary>Samples between frames.</summary>
    public required int Hop { get; init; }

    /// <summary>Samples by which the first frame begins before the sound; negative where it begins within.</summary>
    public int Lead { get; init; }

    /// <summary>What lies beyond the ends.</summary>
    public FrameEdge Edge { get; init; }

    /// <summary>Window, at most as long as the FFT; what is missing is zeros behind it.</summary>
    public required double[] Window { get; init; }

    /// <summary>Whether each frame's mean is taken off.</summary>
    public bool RemoveMean { get; init; }

    /// <summary>Share of the sample before that is taken off each sample (of itself for the first), after the mean.</summary>
    public double PreEmphasis { get; init; }

    /// <summary>Bins x filters weights, row-major, for Fft / 2 + 1 bins.</summary>
    public required double[] Weights { get; init; }

    /// <summary>True weighs magnitudes, false powers.</summary>
    public bool Magnitude { get; init; }

    /// <summary>Logarithm taken of the filters' outputs; null for none.</summary>
    public FrameLogarithm? Logarithm { get; init; }

    /// <summary>The energy that is given as one more row, without a logarithm.</summary>
    public FrameEnergy Energy { get; init; }
}
