namespace BirdResearch.Training;

/// <summary>Numbers of the asymmetric loss.</summary>
public sealed record AsymmetricSettings
{
    /// <summary>How strongly cells of yes that are already right are passed over; 0 for none.</summary>
    public double GammaPositive { get; init; }

    /// <summary>The same for cells of no: 0, or at least 1 (between them the gradient has no bound where the margin begins).</summary>
    public double GammaNegative { get; init; } = 4;

    /// <summary>Probability below which a cell of no counts nothing at all, at least 0 and below 1.</summary>
    public double Margin { get; init; } = 0.05;

    /// <summary>Throws an error that names the first setting out of its range.</summary>
    public void Check()
    {
        if (GammaPositive is not (>= 0 and <= 20))
            throw new ArgumentException($"training.asymmetric.gamma_positive is {GammaPositive}; it must be between 0 and 20.");
        if (GammaNegative is not (0 or (>= 1 and <= 20)))
            throw new ArgumentException($"training.asymmetric.gamma_negative is {GammaNegative}; it must be 0, or between 1 and 20.");
        if (Margin is not (>= 0 and < 1))
            throw new ArgumentException($"training.asymmetric.margin is {Margin}; it must be at least 0 and below 1.");
    }
}
