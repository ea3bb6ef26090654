namespace BirdResearch.Training;

/// <summary>
/// Sharpness-aware minimisation (Foret et al. 2021): each step takes the gradient where, within a radius, the loss is about highest. It costs two
/// forward and backward passes a clip: clips per second fall by half, and a budget of multiply-adds buys half the clips.
/// </summary>
public sealed record SharpnessSettings
{
    /// <summary>The radius, such as 0.05 (or about 1 where it is adaptive); 0 switches it off.</summary>
    public double Rho { get; init; }

    /// <summary>Whether the radius of each weight is in proportion to its size, so that scaling a layer changes nothing (ASAM, Kwon et al. 2021).</summary>
    public bool Adaptive { get; init; }

    /// <summary>Forward and backward passes of a training clip.</summary>
    internal int Passes => Rho > 0 ? 2 : 1;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (Rho is not (>= 0 and < 100))
            throw new ArgumentException(FormattableString.Invariant($"training.sharpness.rho is {Rho}; it must be at least 0 and below 100."));
    }
}
