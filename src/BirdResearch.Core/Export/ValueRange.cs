namespace BirdResearch.Export;

/// <summary>Least and greatest number of a value of a graph, over the windows that it was calibrated on.</summary>
/// <param name="Least">The least, at most 0: zero must have a code of its own, as padding is made of it.</param>
/// <param name="Greatest">The greatest, at least 0.</param>
public readonly record struct ValueRange(float Least, float Greatest)
{
    /// <summary>What one step of the 8-bit code stands for.</summary>
    public float Scale => Greatest > Least ? (Greatest - Least) / byte.MaxValue : 1;

    /// <summary>The code of zero.</summary>
    public byte Zero => (byte)Math.Clamp(MathF.Round(-Least / Scale), byte.MinValue, byte.MaxValue);
}
