namespace BirdResearch.Inference;

/// <summary>A trained model that scores windows of sound, whatever runs it. May be called from several threads at once.</summary>
public interface IWindowClassifier : IDisposable
{
    /// <summary>What it takes and gives.</summary>
    ModelCard Card { get; }

    /// <summary>Logits of windows.</summary>
    /// <param name="windows">count x <see cref="ModelCard.WindowSamples"/> samples, row-major.</param>
    /// <param name="count">Windows, at least 1.</param>
    /// <param name="logits">Receives count x classes logits, row-major.</param>
    void Score(ReadOnlyMemory<float> windows, int count, Span<float> logits);
}
