using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Kernels;

/// <summary>
/// Per-channel energy normalisation of rows of energies: a running mean along the row, by whose power each energy is divided, and a root of
/// the result. Rows are the last axis of contiguous float32 tensors on the CPU; the mean is kept in double.
/// </summary>
public sealed unsafe record EnergyNormalisation
{
    /// <summary>Exponent of the running mean.</summary>
    public required double Gain { get; init; }

    /// <summary>Bias before the root, above 0.</summary>
    public required double Bias { get; init; }

    /// <summary>Exponent of the root, above 0.</summary>
    public required double Power { get; init; }

    /// <summary>Weight of the newest frame, in (0, 1].</summary>
    public required double Smoothing { get; init; }

    /// <summary>Added to the running mean, above 0.</summary>
    public required double Epsilon { get; init; }

    /// <summary>Factor on the energies first.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>The mean before the first frame; null takes the first frame.</summary>
    public double? Start { get; init; }

    /// <summary>Energies (..., frames), at least 0, to the same shape normalised; a new tensor.</summary>
    public Tensor Apply(Tensor energies)
    {
        if (energies.dtype != ScalarType.Float32 || energies.device_type != DeviceType.CPU || !energies.is_contiguous())
            throw new ArgumentException($"Energies are normalised as contiguous float32 tensors on the CPU, not as {energies}.");
        var result = empty_like(energies);
        if (energies.numel() == 0) return result;
        var length = checked((int)energies.shape[^1]);
        float* from = TensorMemory.First(energies), to = TensorMemory.First(result);
        OpenMpPool.For(checked((int)(energies.numel() / length)), row =>
            Normalise(new ReadOnlySpan<float>(from + ((long)row * length), length), new Span<float>(to + ((long)row * length), length)));
        GC.KeepAlive(energies);
        return result;
    }

    void Normalise(ReadOnlySpan<float> energies, Span<float> target)
    {
        var mean = Start ?? (energies[0] * Scale);
        for (var i = 0; i < energies.Length; i++)
        {
            mean += Smoothing * ((energies[i] * Scale) - mean);
            target[i] = (float)(mean + Epsilon);
        }
        var width = Vector<float>.Count;
        var at = 0;
        for (; at <= target.Length - width; at += width)
            Compressed(new Vector<float>(energies[at..]), new Vector<float>(target[at..])).CopyTo(target[at..]);
        if (at == target.Length) return;
        // The end of the row in a vector of its own: a frame's value does not depend on where it falls.
        Span<float> last = stackalloc float[width], means = stackalloc float[width];
        means.Fill(1);
        energies[at..].CopyTo(last);
        target[at..].CopyTo(means);
        Compressed(new Vector<float>(last), new Vector<float>(means)).CopyTo(last);
        last[..(target.Length - at)].CopyTo(target[at..]);
    }

    Vector<float> Compressed(Vector<float> energies, Vector<float> means)
    {
        var gain = Vector.Exp(Vector.Log(means) * (float)-Gain);
        var ratio = energies * (float)Scale * gain * (float)(1 / Bias);
        var one = Vector<float>.One;
        // Both are (1 + x)^power - 1 and exactly 0 at 0; the first keeps the digits of small ratios.
        var root = Power == 0.5 ? ratio / (Vector.SquareRoot(one + ratio) + one) : Vector.Exp(Vector.Log(one + ratio) * (float)Power) - one;
        return root * (float)Math.Pow(Bias, Power);
    }
}
