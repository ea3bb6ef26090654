namespace BirdResearch.Inference;

/// <summary>One ensemble that could be chosen: what it is worth and what it costs.</summary>
/// <param name="Members">Its members.</param>
/// <param name="Weights">One for each member, sum 1.</param>
/// <param name="Score">Its metric on the validation rows.</param>
/// <param name="SecondsPerFile">Predicted seconds for one file, all members together.</param>
public sealed record EnsemblePoint(IReadOnlyList<string> Members, IReadOnlyList<double> Weights, double Score, double SecondsPerFile);
