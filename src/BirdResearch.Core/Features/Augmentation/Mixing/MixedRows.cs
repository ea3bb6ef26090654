using BirdResearch.Data;
using BirdResearch.Kernels;
using static TorchSharp.torch;

namespace BirdResearch.Features;

/// <summary>
/// Which rows of a batch become one, and by which shares: row i of the mixture holds <c>sum_k Shares[k][i] x_(Rows[k][i])</c>. The first part
/// of a row is itself; a row that is not mixed is itself in every part, with share 1 in the first and 0 in the others.
/// </summary>
/// <param name="Rows">K parts of B rows.</param>
/// <param name="Shares">K parts of B shares, which sum to 1 over the parts.</param>
sealed record MixedRows(long[][] Rows, double[][] Shares)
{
    /// <summary>The parts, each as numbers of rows (B) and as shares (B).</summary>
    public IEnumerable<(Tensor Rows, Tensor Shares)> Parts(Device device, ScalarType type) =>
        Rows.Zip(Shares, (rows, shares) => (tensor(rows, device: device), tensor(shares, dtype: type, device: device)));

    /// <summary>
    /// Labels (B, C) of the mixtures, and their weights where the batch has any.
    /// </summary>
    /// <remarks>
    /// <para><see cref="MixedLabels.Union"/>: the largest of the labels that are known. A class is known in the mixture where every part knows it,
    /// with the smallest of their weights, or where a part knows it to be there (label 1), with that part's.</para>
    /// <para><see cref="MixedLabels.Weighted"/>: the mean of the known labels by share times weight, and for the weight the sum of shares times
    /// weights. For a loss that is linear in the labels that is each part's own loss by its share. A class that a part does not know is not known in
    /// the mixture either, unless another part knows it to be there.</para>
    /// </remarks>
    public (Tensor Labels, Tensor? Weights) Targets(LabelledSound batch, MixedLabels rule)
    {
        using var scope = NewDisposeScope();
        var (labels, weights) = (batch.Labels, batch.LabelWeights);
        Tensor? mixed = null, mass = null, least = null, certain = null;
        foreach (var (rows, shares) in Parts(labels.device, labels.dtype))
        {
            var label = labels.index_select(0, rows);                                                  // (B, C)
            var share = shares.unsqueeze(1);                                                           // (B, 1)
            var weight = weights?.index_select(0, rows);                                               // (B, C)
            if (weight is not null)
            {
                var sure = weight * label.ge(KeptScalar.Of(1L)).to(weight.dtype);                      // (B, C)
                least = least is null ? weight : minimum(least, weight);
                certain = certain is null ? sure : maximum(certain, sure);
                if (rule == MixedLabels.Union) label = label * weight.gt(KeptScalar.Of(0L)).to(label.dtype);
                else
                {
                    var part = share * weight;
                    mass = mass is null ? part : mass.Plus(part);
                    share = part;
                }
            }
            mixed = rule == MixedLabels.Union
                ? mixed is null ? label : maximum(mixed, label)
                : mixed is null ? label * share : mixed.Plus(label * share);
        }
        if (weights is null) return (mixed!.MoveToOuterDisposeScope(), null);
        var known = maximum(least!, certain!);                                                         // (B, C), 0 where it is not known
        if (rule == MixedLabels.Union) return (mixed!.MoveToOuterDisposeScope(), known.MoveToOuterDisposeScope());
        var some = mass!.clamp_min(KeptScalar.Of(1e-12));
        return ((mixed! / some).MoveToOuterDisposeScope(), (mass * known.gt(KeptScalar.Of(0L)).to(mass.dtype)).MoveToOuterDisposeScope());
    }

    /// <summary>So many other rows for a row, all different, or as many as there are.</summary>
    public static int[] Partners(CounterRandom random, int row, int rows, int count)
    {
        var chosen = new List<int>();
        while (chosen.Count < Math.Min(count, rows - 1))
        {
            var other = (row + 1 + random.NextInt(rows - 1)) % rows;
            if (!chosen.Contains(other)) chosen.Add(other);
        }
        return [.. chosen];
    }
}
