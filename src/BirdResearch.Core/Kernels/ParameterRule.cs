namespace BirdResearch.Kernels;

/// <summary>How the optimiser treats one parameter, relative to the step that it takes of all.</summary>
public sealed record ParameterRule
{
    /// <summary>Factor on the learning rate.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>The learning rate, after the factor, goes no higher; null for no limit.</summary>
    public double? HighestLearningRate { get; init; }

    /// <summary>Whether weight decay applies.</summary>
    public bool IsDecayed { get; init; } = true;

    /// <summary>The learning rate of the parameter where that of all is <paramref name="learningRate"/>.</summary>
    public double RateOf(double learningRate) => Math.Min(learningRate * LearningRateFactor, HighestLearningRate ?? double.PositiveInfinity);
}
