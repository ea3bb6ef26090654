namespace BirdResearch.Kernels;

/// <summary>Factor * ln(max(x, Smallest)) + Offset.</summary>
/// <param name="Smallest">Smaller numbers count as this one.</param>
/// <param name="Factor">1 for the natural logarithm, 10 / ln 10 for decibels of power.</param>
/// <param name="Offset">Added at the end.</param>
public sealed record FrameLogarithm(double Smallest, double Factor = 1, double Offset = 0);
