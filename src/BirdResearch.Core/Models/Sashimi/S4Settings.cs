namespace BirdResearch.Models;

/// <summary>Form of the state matrix of S4.</summary>
public enum S4Mode
{
    /// <summary>Diagonal: S4D.</summary>
    Diagonal,

    /// <summary>Diagonal plus low rank: the original S4.</summary>
    DiagonalPlusLowRank,
}

/// <summary>How a continuous state space becomes a recurrence.</summary>
public enum Discretisation
{
    /// <summary>The input is held between samples.</summary>
    ZeroOrderHold,

    /// <summary>Tustin's bilinear rule.</summary>
    Bilinear,
}

/// <summary>How the step size follows from its parameter, which keeps it positive.</summary>
public enum StepTransform
{
    /// <summary>dt = exp(parameter).</summary>
    Exponential,

    /// <summary>dt = softplus(parameter).</summary>
    Softplus,
}

/// <summary>Settings of an S4 layer, with the published defaults of its diagonal form.</summary>
public sealed record S4Settings
{
    /// <summary>Form of the state matrix.</summary>
    public S4Mode Mode { get; init; } = S4Mode.Diagonal;

    /// <summary>Name of the initialisation (<see cref="Hippo.Names"/>). Several share out the copies of the state space in equal parts.</summary>
    public IReadOnlyList<string> Starts { get; init; } = ["diag-lin"];

    /// <summary>Discretisation of the diagonal form; diagonal plus low rank is always bilinear.</summary>
    public Discretisation Discretisation { get; init; } = Discretisation.ZeroOrderHold;

    /// <summary>How the step size follows from its parameter.</summary>
    public StepTransform StepTransform { get; init; } = StepTransform.Exponential;

    /// <summary>Real states N per channel, an even number.</summary>
    public long States { get; init; } = 64;

    /// <summary>Independent pairs of A and B, a divisor of the width; null for one per channel.</summary>
    public long? Copies { get; init; }

    /// <summary>Outputs per input channel.</summary>
    public long Heads { get; init; } = 1;

    /// <summary>Whether every token also sees the tokens after it, through a second kernel.</summary>
    public bool Bidirectional { get; init; }

    /// <summary>Longest reach of the kernel in tokens; null for no limit.</summary>
    public long? MostTokens { get; init; }

    /// <summary>Smallest step size drawn at the start.</summary>
    public double LeastStep { get; init; } = 0.001;

    /// <summary>Largest step size drawn at the start.</summary>
    public double MostStep { get; init; } = 0.1;

    /// <summary>Probability that an element is dropped in training, in [0, 1).</summary>
    public double Dropout { get; init; }

    internal void Check(long width)
    {
        if (width < 1) throw new ArgumentException($"S4 needs a width of at least 1, but was asked for {width}.");
        if (Copies is { } copies && (copies < 1 || width % copies != 0))
            throw new ArgumentException($"Copies must be a divisor of the width {width}, but is {copies}.");
        if (Starts.Count == 0 || (Copies ?? width) % Starts.Count != 0)
            throw new ArgumentException($"{Copies ?? width} copies of the state space cannot be shared out among {Starts.Count} initialisations.");
        if (Heads < 1) throw new ArgumentException($"Heads must be at least 1, but is {Heads}.");
        if (MostTokens < 1) throw new ArgumentException($"MostTokens must be at least 1 or null, but is {MostTokens}.");
        if (!(LeastStep > 0 && MostStep >= LeastStep)) throw new ArgumentException($"Steps must lie in 0 < LeastStep <= MostStep, but are {LeastStep} and {MostStep}.");
        if (Dropout is not (>= 0 and < 1)) throw new ArgumentException($"Dropout must be at least 0 and below 1, but is {Dropout}.");
    }
}
