using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>Takes each row's quantile over the clip's frames off that row: what sounds all the time, band by band, is gone.</summary>
/// <param name="quantile">In [0, 1]: 0.25 leaves a row of which a quarter lies below 0.</param>
sealed class RowQuantile(double quantile)
{
    /// <summary>(B, rows, frames) to the same shape; a new tensor.</summary>
    public Tensor Apply(Tensor features)
    {
        var (index, share) = Place(quantile, features.shape[^1]);
        return SoundBatch.CanFuse(features)
            ? RowQuantiles.Subtracted(features.contiguous(), index, (float)share)
            : Reference(features, index, share);
    }

    static Tensor Reference(Tensor features, int index, double share)
    {
        using var scope = NewDisposeScope();
        var sorted = features.sort(-1).Values;
        var lower = sorted.narrow(-1, index, 1);                                        // (B, rows, 1)
        var upper = sorted.narrow(-1, Math.Min(index + 1, features.shape[^1] - 1), 1);
        return (features - lower.Plus((upper - lower).Times(share))).MoveToOuterDisposeScope();
    }

    /// <summary>Between which two of the sorted values the quantile lies, and how far from the lower one (numpy's linear rule).</summary>
    internal static (int Index, double Share) Place(double quantile, long count)
    {
        var place = quantile * (count - 1);
        return ((int)place, place - (int)place);
    }
}
