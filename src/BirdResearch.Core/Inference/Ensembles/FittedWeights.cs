namespace BirdResearch.Inference;

/// <summary>Weights of members, as fitted to validation rows.</summary>
/// <param name="Weights">One for each member, sum 1.</param>
/// <param name="Score">The metric of the mixture on the rows that they were fitted to, so a little too good.</param>
public sealed record FittedWeights(IReadOnlyList<double> Weights, double Score);
