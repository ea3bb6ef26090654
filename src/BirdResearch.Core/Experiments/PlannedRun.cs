namespace BirdResearch.Experiments;

/// <summary>A run that belongs to the design that was asked for, finished or not.</summary>
/// <param name="Name">Its folder.</param>
/// <param name="Data">Data set.</param>
/// <param name="Model">Catalogue name.</param>
/// <param name="FrontEnd">Catalogue name.</param>
/// <param name="Label">What the arm is called, or empty.</param>
/// <param name="Budget">What its training may spend, such as <c>20 epochs</c>.</param>
/// <param name="Fold">Fold that is held out.</param>
/// <param name="Seed">Seed.</param>
/// <param name="Asked">The command that first asked for it.</param>
public sealed record PlannedRun(string Name, string Data, string Model, string FrontEnd, string Label, string Budget, int Fold, int Seed, string Asked);
