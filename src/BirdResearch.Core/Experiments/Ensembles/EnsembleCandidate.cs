using BirdResearch.Metrics;

namespace BirdResearch.Experiments;

/// <summary>Runs that differ in their fold alone: together a possible member of an ensemble, validated on everything that was held out.</summary>
/// <param name="Name">Short name, unique among the candidates.</param>
/// <param name="Folders">The runs' folders, by fold.</param>
/// <param name="Validation">Scores of each held-out recording by the run that did not train on it.</param>
/// <param name="Folds">Fold that each row of <paramref name="Validation"/> was held out in.</param>
/// <param name="Soundscape">Mean scores of the labelled soundscape windows, to be told and never to be chosen by; null where there are none.</param>
public sealed record EnsembleCandidate(string Name, IReadOnlyList<string> Folders, Scores Validation, IReadOnlyList<int> Folds, Scores? Soundscape);
