namespace BirdResearch.Inference.Prediction;

/// <summary>A model that takes part in a prediction.</summary>
/// <param name="Model">What scores.</param>
/// <param name="Weight">Its share in the combination, above 0.</param>
/// <param name="Value">What it is worth, on any scale that all members share: members of little value per second are dropped first when time is short.</param>
public sealed record Member(IWindowClassifier Model, double Weight = 1, double Value = 1)
{
    /// <summary>What to call it.</summary>
    public string Name => Model.Card.Name;
}
