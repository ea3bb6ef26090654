namespace BirdResearch.Cli.Benchmarks;

/// <summary>One thing to time.</summary>
/// <param name="Subject">What is timed: a model, a front-end, a file format.</param>
/// <param name="Phase"><c>train</c>, <c>infer</c> or <c>op</c>.</param>
/// <param name="Variant">Which form of it, such as <c>fp32</c>.</param>
/// <param name="Units">Units of work in one call: clips, or windows.</param>
/// <param name="Unit">Name of the speed, such as <c>clips/s</c>.</param>
/// <param name="Work">One call.</param>
public sealed record BenchCase(string Subject, string Phase, string Variant, double Units, string Unit, Action Work);

/// <summary>One measured line, as <c>--json</c> prints it.</summary>
/// <param name="Subject">What was timed.</param>
/// <param name="Phase"><c>train</c>, <c>infer</c> or <c>op</c>.</param>
/// <param name="Variant">Which form of it.</param>
/// <param name="Value">Median speed.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="Ratio">Speed relative to <paramref name="Against"/>, the median of ratios within each round.</param>
/// <param name="Against">Subject and variant that the ratio is taken against.</param>
public sealed record BenchRow(string Subject, string Phase, string Variant, double Value, string Unit, double Ratio, string Against);
