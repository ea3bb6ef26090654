using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The numbers of a readout.</summary>
/// <param name="Hidden">Width of the hidden layer; 0 reads linearly.</param>
/// <param name="Peaks">Whether the largest value over time is read beside the mean.</param>
sealed record ReadoutPlan(long Hidden, bool Peaks);

/// <summary>
/// What features give without any convolution: each row's mean over the clip's frames, standardised row by row, then one linear layer, or one
/// hidden layer of rectified units with dropout and a linear one. With means alone and no hidden layer the logits are linear in the features:
/// the clip's mean of one linear readout of every frame, which is the readout that claims about expand-and-sparsify speak of. With peaks beside the
/// means they are linear in the pooled features only.
/// </summary>
/// <remarks>Standardising takes the batch's figures in training and running ones afterwards, and learns nothing: rows of any scale learn alike.</remarks>
public sealed class Readout : Classifier
{
    readonly PooledNorm norm;
    readonly Linear? hidden;
    readonly Linear fc;
    readonly double _dropRate;
    readonly bool _peaks;

    internal Readout(string name, ReadoutPlan plan, int classes, InputShape input, ModelOptions options) : base(name, classes, input)
    {
        (_dropRate, _peaks) = (options.DropRate, plan.Peaks);
        var pooled = input.Channels * input.Rows * (plan.Peaks ? 2 : 1);
        norm = new PooledNorm(pooled);
        if (plan.Hidden > 0) hidden = nn.Linear(pooled, plan.Hidden);
        fc = nn.Linear(plan.Hidden > 0 ? plan.Hidden : pooled, classes);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override string HeadKey => "fc";

    /// <inheritdoc/>
    public override int Depths => hidden is null ? 1 : 2;

    /// <inheritdoc/>
    public override int DepthOf(string key) => IsHead(key) ? Depths - 1 : 0;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                // (B, channels, rows, T)
    {
        RequireFeatures(input);
        if (input.shape[2] != Input.Rows)
            throw new ArgumentException($"{ModelName} was built for {Input.Rows} rows, but the features have {input.shape[2]}.");
        using var scope = NewDisposeScope();
        var x = input.flatten(1, 2);                            // (B, d, T), d = channels x rows
        x = _peaks ? cat([x.mean([2]), x.amax([2])], 1) : x.mean([2]);                              // (B, d) or (B, 2d)
        x = norm.call(x);
        if (hidden is not null) x = hidden.call(x).relu_();     // (B, hidden)
        if (_dropRate > 0 && training) x = nn.functional.dropout(x, _dropRate);
        return fc.call(x).MoveToOuterDisposeScope();            // (B, C)
    }

    internal bool ReadsPeaks => _peaks;

    internal PooledNorm Norm => norm;

    internal Linear? Hidden => hidden;

    internal Linear Output => fc;
}
