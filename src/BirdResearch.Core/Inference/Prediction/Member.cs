namespace BirdResearch.Inference.Prediction;

/// <summary>A model that takes part in a prediction.</summary>
/// <param name="Model">What scores.</param>
/// <param name="Value">What it is worth, on any scale that all models share: those of little value per second are dropped first when time is short.</param>
public sealed record Member(IWindowClassifier Model, double Value = 1)
{
    /// <summary>What to call it.</summary>
    public string Name => Model.Card.Name;

    /// <summary>The member of the ensemble that it is part of: models of several folds are one member, the mean of what they say.</summary>
    public string Part { get => field ?? Name; init; }
}
