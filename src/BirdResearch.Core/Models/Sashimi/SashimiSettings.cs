namespace BirdResearch.Models;

/// <summary>What mixes the tokens of a SaShiMi layer.</summary>
public enum SashimiMixer
{
    /// <summary>S4 or S4D, as published.</summary>
    S4,

    /// <summary>Mamba, which sees only the past.</summary>
    Mamba,

    /// <summary>The bidirectional mixer of Vision Mamba.</summary>
    Vim,

    /// <summary>Mamba, which sees the past in the first layer of a level, the future in the next, and so in turn.</summary>
    MambaInTurn,
}

/// <summary>The layers at one rate of a SaShiMi.</summary>
/// <param name="Mixer">What mixes the tokens.</param>
/// <param name="Layers">Number of layers, each a mixer and a feed-forward block.</param>
public sealed record SashimiLevel(SashimiMixer Mixer, int Layers)
{
    /// <summary>Width of the feed-forward block over that of the tokens; 0 leaves it out.</summary>
    public int FeedForward { get; init; } = 2;

    /// <summary>States per channel; null takes the mixer's default: that of <see cref="SashimiSettings.S4"/>, or 16 for Mamba.</summary>
    public long? States { get; init; }

    /// <summary>Inner channels of Mamba per channel.</summary>
    public double MambaExpand { get; init; } = 2;
}

/// <summary>The numbers of a SaShiMi backbone; the defaults are the published ones, with diagonal state spaces.</summary>
public sealed record SashimiSettings
{
    /// <summary>Width of the tokens at the full rate.</summary>
    public long Width { get; init; } = 64;

    /// <summary>How many tokens become one, from each level to the next.</summary>
    public IReadOnlyList<int> Pools { get; init; } = [4, 4];

    /// <summary>How much wider each level is than the one before.</summary>
    public int Expand { get; init; } = 2;

    /// <summary>The levels, full rate first: one more than pools.</summary>
    public IReadOnlyList<SashimiLevel> Levels { get; init; } = [new(SashimiMixer.S4, 8), new(SashimiMixer.S4, 8), new(SashimiMixer.S4, 8)];

    /// <summary>Whether the way down has layers too, and every one of them a connection to the way up.</summary>
    public bool Unet { get; init; }

    /// <summary>Settings of the S4 layers.</summary>
    public S4Settings S4 { get; init; } = new();

    /// <summary>Probability that an element is dropped in training, in [0, 1).</summary>
    public double Dropout { get; init; }

    /// <summary>Probability, per sample, that the last block's branch is dropped in training, in [0, 1); earlier blocks drop less often.</summary>
    public double DropPath { get; init; }

    /// <summary>Tokens must come in multiples of this.</summary>
    public long Stride => Pools.Aggregate(1L, (a, b) => a * b);

    internal void Check()
    {
        if (Width < 1 || Expand < 1) throw new ArgumentException($"SaShiMi needs a width and an expansion of at least 1, but got {Width} and {Expand}.");
        if (Pools.Any(p => p < 1)) throw new ArgumentException($"Pools must be at least 1, but are {string.Join(", ", Pools)}.");
        if (Levels.Count != Pools.Count + 1)
            throw new ArgumentException($"SaShiMi with {Pools.Count} pools has {Pools.Count + 1} levels, but got {Levels.Count}.");
        if (Levels.FirstOrDefault(l => l.Layers < 0 || l.FeedForward < 0) is { } odd)
            throw new ArgumentException($"A level cannot have {odd.Layers} layers with feed-forward blocks of {odd.FeedForward} times the width.");
        if (Dropout is not (>= 0 and < 1)) throw new ArgumentException($"Dropout must be at least 0 and below 1, but is {Dropout}.");
    }
}
