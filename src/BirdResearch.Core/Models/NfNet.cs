using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// timm's <c>eca_nfnet</c> family: residual networks that keep their variance by scaled, standardised kernels instead of norms, with efficient
/// channel attention. Brock et al. 2021, High-Performance Large-Scale Image Recognition Without Normalization. Any input size.
/// </summary>
public sealed class NfNet : Classifier
{
    readonly NfStem stem;
    readonly Chain stages;
    readonly ScaledConvolution final_conv;
    readonly ActivationLayer final_act;
    readonly ClassifierHead head;
    readonly bool _channelsLast;
    readonly StageDepths _depths;

    internal NfNet(string name, NfPlan plan, int classes, InputShape input, ModelOptions options) : base(name, classes, input)
    {
        _channelsLast = options.ChannelsLast;
        stem = new NfStem(input.Channels, plan.Stem);
        stages = new Chain(BuildStages(plan, options.DropPathRate));
        final_conv = new ScaledConvolution(plan.Widths[^1], plan.Final);
        final_act = new ActivationLayer(Activation.Silu);
        head = new ClassifierHead(plan.Final, classes, options.DropRate);
        RegisterComponents();
        _depths = new StageDepths(nameof(stages), plan.Depths, nameof(head), [nameof(final_conv)]);
    }

    /// <inheritdoc/>
    public override string? StemKey => "stem.conv1.weight";

    /// <inheritdoc/>
    public override string HeadKey => "head.fc";

    /// <inheritdoc/>
    public override int Depths => _depths.Count;

    /// <inheritdoc/>
    public override int DepthOf(string key) => _depths.Of(key);

    /// <summary>Gains stand where other networks have the weights of their norms: they are not decayed, as the paper has it.</summary>
    public override bool IsDecayed(string key, Tensor parameter) => !key.EndsWith(".gain", StringComparison.Ordinal) && base.IsDecayed(key, parameter);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                                    // (B, channels, rows, frames)
    {
        RequireFeatures(input);
        using var scope = NewDisposeScope();
        var x = stem.call(_channelsLast ? ChannelsLast.Arrange(input) : input);     // (B, stem, rows / 4, frames / 4)
        x = final_act.call(final_conv.call(stages.call(x)));                        // (B, final, rows / 32, frames / 32)
        return head.call(x).MoveToOuterDisposeScope();                              // (B, C)
    }

    static List<Chain> BuildStages(NfPlan plan, double dropPathRate)
    {
        var stages = new List<Chain>();
        var (input, index, variance) = (plan.Stem, 0, 1.0);
        foreach (var (depth, output) in plan.Depths.Zip(plan.Widths))
        {
            var blocks = new List<NfBlock>();
            for (var i = 0; i < depth; i++, index++)
            {
                var first = i == 0;
                var rate = dropPathRate * index / Math.Max(plan.Depths.Sum() - 1, 1);
                blocks.Add(new NfBlock(input, output, plan.GroupWidth, first && stages.Count > 0 ? 2 : 1, first, 1 / Math.Sqrt(variance), rate));
                // A projection starts the variance afresh; every branch adds its share.
                variance = (first ? 1 : variance) + (NfBlock.Alpha * NfBlock.Alpha);
                input = output;
            }
            stages.Add(new Chain(blocks));
        }
        return stages;
    }

    /// <summary>All that comes before the head, in order.</summary>
    internal IReadOnlyList<nn.Module> Body => [stem, stages, final_conv, final_act];

    internal ClassifierHead Head => head;
}
