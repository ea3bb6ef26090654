namespace BirdResearch.Models;

/// <summary>The numbers of a Mamba block, with the published defaults (Gu and Dao 2023; mamba_simple.py of state-spaces/mamba).</summary>
public sealed record MambaSettings
{
    /// <summary>Width of the tokens that come in and go out, d_model.</summary>
    public required long Width { get; init; }

    /// <summary>States per inner channel, d_state.</summary>
    public long States { get; init; } = 16;

    /// <summary>Tokens that the causal convolution spans, d_conv.</summary>
    public long Kernel { get; init; } = 4;

    /// <summary>Inner channels per channel of the width, expand.</summary>
    public double Expand { get; init; } = 2;

    /// <summary>Rank of the step size's projection, dt_rank; null is a sixteenth of the width, rounded up.</summary>
    public long? DtRank { get; init; }

    /// <summary>Whether the convolution has a bias.</summary>
    public bool ConvBias { get; init; } = true;

    /// <summary>Whether the projections into and out of the block have biases.</summary>
    public bool Bias { get; init; }

    /// <summary>Inner channels, d_inner.</summary>
    public long Inner => (long)(Expand * Width);

    /// <summary>Rank of the step size's projection as a number.</summary>
    public long Rank => DtRank ?? (Width + 15) / 16;

    /// <summary>Refuses numbers that make no block, naming the number.</summary>
    internal void Check()
    {
        Require(nameof(Width), Width);
        Require(nameof(States), States);
        Require(nameof(Kernel), Kernel);
        Require(nameof(DtRank), Rank);
        if (!(Inner >= 1 && double.IsFinite(Expand)))
            throw new ArgumentException($"Expand of a Mamba block of width {Width} is {Expand}: it must leave at least one inner channel.");
    }

    static void Require(string name, long value)
    {
        if (value < 1) throw new ArgumentException($"{name} of a Mamba block is {value}: it must be at least 1.");
    }
}
