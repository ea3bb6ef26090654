namespace BirdResearch.Training;

/// <summary>Numbers of the focal loss; the paper's by default.</summary>
public sealed record FocalSettings
{
    /// <summary>How strongly cells that are already right are passed over; 0 for none.</summary>
    public double Gamma { get; init; } = 2;

    /// <summary>Weight of yes against 1 - alpha for no, above 0 and below 1; null weighs both as 1.</summary>
    public double? Alpha { get; init; } = 0.25;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (Gamma is not (>= 0 and <= 20)) throw new ArgumentException($"training.focal.gamma is {Gamma}; it must be between 0 and 20.");
        if (Alpha is not (null or (> 0 and < 1)))
            throw new ArgumentException(
                $"training.focal.alpha is {Alpha}; it must be above 0 and below 1 (0 would give every yes no weight), or null to weigh yes and no alike.");
    }
}
