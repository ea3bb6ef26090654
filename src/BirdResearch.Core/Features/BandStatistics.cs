using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Brings features of the training's domain to the statistics of the one that a model is meant for, row by row:
/// <c>x gain + shift</c>, with gain = deviation there over deviation here (1 where means alone are matched) and shift such that the means agree.
/// </summary>
sealed class BandStatistics : nn.Module
{
    // A row that hardly moves in one domain would be blown up by its ratio.
    const double MostGain = 10;

    readonly Tensor gain, shift, fitted;            // (rows), (rows), (1): buffers in the state dictionary
    readonly BandMatching _matching;

    public BandStatistics(BandMatching matching, int rows) : base(nameof(BandStatistics))
    {
        _matching = matching;
        gain = ones(rows).DetachFromDisposeScope();
        shift = zeros(rows).DetachFromDisposeScope();
        fitted = zeros(1).DetachFromDisposeScope();
        RegisterComponents();
    }

    public bool IsFitted => fitted.to(ScalarType.Float32).cpu().data<float>()[0] == 1;

    /// <summary>Learns both from features (B, rows, frames) of either domain, at least one batch each.</summary>
    public void Fit(IEnumerable<Tensor> source, IEnumerable<Tensor> target)
    {
        using var scope = NewDisposeScope();
        var (here, there) = (Of(source, "training sound"), Of(target, "unlabelled target sound"));
        double[] gains = [.. here.Zip(there, (s, t) => _matching == BandMatching.Mean ? 1 : Ratio(t.Deviation, s.Deviation))];
        gain.copy_(tensor(gains));
        shift.copy_(tensor(here.Zip(there, gains).Select(b => b.Second.Mean - (b.First.Mean * b.Third)).ToArray()));
        fitted.fill_(KeptScalar.Of(1.0));
    }

    /// <summary>(B, rows, frames) matched; a new tensor.</summary>
    /// <param name="features">Of the training's domain.</param>
    /// <param name="rows">Which items of the batch are; the others stay as they are. Null for all.</param>
    public Tensor Apply(Tensor features, IReadOnlyList<bool>? rows)
    {
        if (!IsFitted)
            throw new InvalidOperationException(
                "This front-end matches bands by statistics that no sound was shown to yet: call Fit with training sound and with sound of the target domain, " +
                "or load the state that a run saved as front_end.safetensors.");
        using var scope = NewDisposeScope();
        var matched = features.mul(gain.to(features.dtype).unsqueeze(1)).Plus(shift.to(features.dtype).unsqueeze(1));
        if (rows is null || rows.All(r => r)) return matched.MoveToOuterDisposeScope();
        var mask = tensor([.. rows], device: features.device).reshape(-1, 1, 1);
        return where(mask, matched, features).MoveToOuterDisposeScope();
    }

    static double Ratio(double wanted, double there) =>
        wanted == there ? 1 : Math.Clamp(wanted / Math.Max(there, 1e-12), 1 / MostGain, MostGain);

    /// <summary>Mean and standard deviation of each row over all frames of all items, in double.</summary>
    static (double Mean, double Deviation)[] Of(IEnumerable<Tensor> batches, string what)
    {
        (double[] sums, double[] squares, var count) = ([], [], 0L);
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            var wide = batch.to(ScalarType.Float64).cpu();
            var (sum, square) = (Numbers(wide.sum([0, 2])), Numbers((wide * wide).sum([0, 2])));
            (sums, squares) = count == 0 ? (sum, square) : ([.. sums.Zip(sum, (a, b) => a + b)], [.. squares.Zip(square, (a, b) => a + b)]);
            count += batch.shape[0] * batch.shape[2];
        }
        if (count == 0) throw new ArgumentException($"There is no {what} to match bands by: give at least one batch (clips, samples).");
        var statistics = sums.Zip(squares, (s, q) => (s / count, Math.Sqrt(Math.Max(0, (q / count) - (s / count * (s / count)))))).ToArray();
        return Array.TrueForAll(statistics, s => double.IsFinite(s.Item1 + s.Item2))
            ? statistics
            : throw new ArgumentException($"The {what} gives features that are not finite, so its bands have no statistics: leave the recordings out that hold NaN or infinities.");
    }

    static double[] Numbers(Tensor values) => values.data<double>().ToArray();
}
