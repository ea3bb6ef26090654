namespace BirdResearch.Training;

/// <summary>Settings of <see cref="WeightAverage"/>.</summary>
public sealed record EmaSettings
{
    /// <summary>Share of the average that one optimiser step keeps, such as 0.999; 0 switches averaging off.</summary>
    public double Decay { get; init; }

    /// <summary>Whether the decay grows to that from 0, as 1 - (1 + step)^(-2/3): a short training has forgotten its start by its end.</summary>
    public bool Warmup { get; init; } = true;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (Decay is not (>= 0 and < 1)) throw new ArgumentException($"training.ema.decay is {Decay}; it must be at least 0 and below 1.");
    }
}
