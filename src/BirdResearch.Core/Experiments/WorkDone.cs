namespace BirdResearch.Experiments;

/// <summary>What came of an ablation's trials.</summary>
/// <param name="Records">In their order; null where a run failed or was left to others.</param>
/// <param name="Failures">The runs that failed, here or with another worker of the same call.</param>
public sealed record WorkDone(IReadOnlyList<RunRecord?> Records, IReadOnlyList<RunFailure> Failures);
