namespace BirdResearch.Training;

/// <summary>Which weights a training ended with, and how they were chosen: scores are theirs.</summary>
/// <param name="Which"><c>last</c> or <c>best</c>.</param>
/// <param name="Epoch">The epoch they are of, counted from 1.</param>
/// <param name="Trained">Epochs trained.</param>
/// <param name="Planned">Epochs planned; more than trained where it stopped early.</param>
/// <param name="Averaged">Whether they are the running average of the weights.</param>
/// <param name="Metric">What chose the epoch or stopped the training; null where nothing did.</param>
/// <param name="Value">That metric in that epoch; null where there is none.</param>
public sealed record KeptWeights(string Which, int Epoch, int Trained, int Planned, bool Averaged, string? Metric, double? Value)
{
    /// <summary>Whether the held-out score had a say in which weights were kept, so that it flatters them.</summary>
    public bool IsChosenByValidation => Metric is { } metric && WatchedMetric.NeedsValidation(metric) && (Which == "best" || Trained < Planned);

    /// <summary>A sentence for the reader; empty for the last of the planned epochs, which needs none.</summary>
    public override string ToString()
    {
        List<string> parts = [];
        if (Which == "best") parts.Add($"weights of epoch {Epoch} of {Trained}, the best by {Metric}");
        if (Trained < Planned) parts.Add($"stopped after epoch {Trained} of {Planned} by {Metric}");
        if (IsChosenByValidation) parts.Add("the focal score chose, so it flatters");
        if (Averaged) parts.Add("averaged weights");
        return string.Join("; ", parts);
    }
}
