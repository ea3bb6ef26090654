namespace BirdResearch.Inference.Prediction;

/// <summary>How a prediction is made.</summary>
public sealed record PredictorSettings
{
    /// <summary>Workers that decode and score side by side, each on one thread; at least 1.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Windows in one call of a model.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Most rows that are decoded and scored at a time: four minutes of 5 s.</summary>
    public int StretchRows { get; init; } = 48;

    /// <summary>When everything must be written, as an instant of <see cref="TimeProvider.GetTimestamp"/>'s clock; null for no limit.</summary>
    public long? Deadline { get; init; }

    /// <summary>Least seconds between two writings of what there is.</summary>
    public double WriteEvery { get; init; } = 20;

    /// <summary>The clock; tests bring their own.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
