namespace BirdResearch.Metrics;

/// <summary>How an undefined metric is written: NaN where it is computed, nothing where it is recorded.</summary>
public static class MetricValue
{
    /// <summary>The value, or null for NaN: a metric that is not defined for these rows.</summary>
    public static double? OrNull(this double value) => double.IsNaN(value) ? null : value;
}
