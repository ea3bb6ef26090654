using System.Runtime.CompilerServices;

namespace BirdResearch.Data;

/// <summary>A point that turns by a fixed angle per sample: sine and cosine without a call for each.</summary>
/// <param name="radians">Angle per sample.</param>
/// <param name="start">First angle.</param>
struct Turning(double radians, double start)
{
    readonly double _sinStep = Math.Sin(radians), _cosStep = Math.Cos(radians);

    public double Sin { get; private set; } = Math.Sin(start);

    public double Cos { get; private set; } = Math.Cos(start);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step() => (Sin, Cos) = (Sin * _cosStep + Cos * _sinStep, Cos * _cosStep - Sin * _sinStep);
}
