namespace BirdResearch.Cli.Benchmarks;

/// <summary>One thing to time.</summary>
/// <param name="Subject">What is timed: a model, a front-end, a file format.</param>
/// <param name="Phase"><c>train</c>, <c>infer</c>, <c>op</c>; a kernel's are <c>start</c> and <c>cell</c>.</param>
/// <param name="Variant">Which form of it, such as <c>fp32</c>.</param>
/// <param name="Units">Units of work in one call: clips, or windows.</param>
/// <param name="Unit">Name of the speed, such as <c>clips/s</c>.</param>
/// <param name="Work">One call.</param>
public sealed record BenchCase(string Subject, string Phase, string Variant, double Units, string Unit, Action Work)
{
    /// <summary>Rounds that it takes part in, at most; for cases that take many seconds.</summary>
    public int MostRounds { get; init; } = int.MaxValue;

    /// <summary>Threads that torch runs it on; null for the run's own number.</summary>
    public int? Threads { get; init; }
}

/// <summary>A figure that a group was made to find, with what it should reach.</summary>
/// <param name="What">What was measured, and against what.</param>
/// <param name="Value">The median, or null where a case of it was left out.</param>
/// <param name="Unit">Its unit: <c>x</c> for a ratio of speeds.</param>
/// <param name="Reach">What it should reach, or null.</param>
/// <param name="Stretch">What would be better still, or null.</param>
/// <param name="LowerIsBetter">Whether a smaller value is the better one.</param>
public sealed record BenchGoal(string What, double? Value, string Unit, double? Reach = null, double? Stretch = null, bool LowerIsBetter = false)
{
    /// <summary>Whether it was reached; null where nothing was asked.</summary>
    public bool? Holds => Reach is { } reach && Value is { } value ? (LowerIsBetter ? value <= reach : value >= reach) : null;
}

/// <summary>One measured line, as <c>--json</c> prints it.</summary>
/// <param name="Subject">What was timed.</param>
/// <param name="Phase"><c>train</c>, <c>infer</c>, <c>op</c>; a kernel's are <c>start</c> and <c>cell</c>.</param>
/// <param name="Variant">Which form of it.</param>
/// <param name="Value">Median speed.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Ratio">Speed relative to <paramref name="Against"/>, the median of ratios within each round.</param>
/// <param name="Against">Subject and variant that the ratio is taken against.</param>
public sealed record BenchRow(string Subject, string Phase, string Variant, double Value, string Unit, double Ratio, string Against);
