using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Power to decibels, <c>10 log10(max(x, 1e-10) / reference)</c>, with a floor below each item's own peak: torchaudio's AmplitudeToDB
/// for batches of items, and librosa's power_to_db item by item.
/// </summary>
public sealed class Decibels
{
    /// <summary>Smaller powers count as this one.</summary>
    internal const double Smallest = 1e-10;

    // Scalars live in fields: a temporary one could be finalised while the native call still reads it.
    readonly Scalar _smallest = Smallest;
    readonly Scalar _multiplier;
    readonly Scalar _offset;
    readonly Scalar? _topDb;
    readonly bool _fromPeak;

    /// <param name="topDb">Floor in dB below the item's peak; null for none.</param>
    /// <param name="reference">What counts as 0 dB; null takes each item's own peak (librosa's <c>ref=np.max</c>).</param>
    /// <param name="multiplier">10 for power, 20 for magnitude.</param>
    public Decibels(double? topDb = 80, double? reference = 1, double multiplier = 10)
    {
        _multiplier = multiplier;
        _offset = multiplier * Math.Log10(Math.Max(Smallest, reference ?? 1));
        _topDb = topDb is { } top ? top : null;
        _fromPeak = reference is null;
    }

    /// <summary>(..., rows, frames) of power to the same shape in dB; an item is one matrix of rows x frames.</summary>
    public Tensor Of(Tensor power)
    {
        using var scope = NewDisposeScope();
        var decibels = power.clamp(_smallest).log10_().mul_(_multiplier).sub_(_offset);   // (..., rows, frames)
        if (!_fromPeak && _topDb is null) return decibels.MoveToOuterDisposeScope();
        var peak = decibels.amax([-2, -1], keepdim: true);                                // (..., 1, 1)
        if (_fromPeak) decibels.sub_(peak);
        if (_topDb is null) return decibels.MoveToOuterDisposeScope();
        var floor = _fromPeak ? peak.zeros_like().sub_(_topDb) : peak.sub_(_topDb);
        return maximum(decibels, floor).MoveToOuterDisposeScope();                        // (..., rows, frames)
    }
}
