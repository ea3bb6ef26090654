using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// timm's <c>resnetv2</c> with batch norm: ResNet whose blocks normalise and activate before they convolve, so that the sum runs through
/// untouched. He et al. 2016, Identity Mappings in Deep Residual Networks. A member is its blocks per stage and their widths. Any input size.
/// </summary>
public sealed class ResNetV2 : Classifier
{
    readonly PreActivationStem stem;
    readonly Chain stages;
    readonly BatchNormAct norm;
    readonly ClassifierHead head;
    readonly bool _channelsLast;
    readonly StageDepths _depths;

    internal ResNetV2(string name, int[] depths, long[] widths, int classes, InputShape input, ModelOptions options) : base(name, classes, input)
    {
        _channelsLast = options.ChannelsLast;
        var before = widths[0] / 4;
        stem = new PreActivationStem(input.Channels, before);
        var index = 0;
        stages = new Chain(depths.Select((_, stage) => Stage(stage)).ToList());
        norm = new BatchNormAct(before, Activation.Relu);
        head = new ClassifierHead(before, classes, options.DropRate, convolution: true);
        RegisterComponents();
        _depths = new StageDepths(nameof(stages), depths, nameof(head), [nameof(norm)], list: "blocks");

        PreActivationStage Stage(int stage)
        {
            var blocks = new List<PreActivationBlock>();
            for (var i = 0; i < depths[stage]; i++, index++)
            {
                var rate = options.DropPathRate * index / Math.Max(depths.Sum() - 1, 1);
                blocks.Add(new PreActivationBlock(before, widths[stage], stage > 0 && i == 0 ? 2 : 1, projects: i == 0, rate));
                before = widths[stage];
            }
            return new PreActivationStage(blocks);
        }
    }

    /// <inheritdoc/>
    public override string? StemKey => "stem.conv.weight";

    /// <inheritdoc/>
    public override string HeadKey => "head.fc";

    /// <inheritdoc/>
    public override int Depths => _depths.Count;

    /// <inheritdoc/>
    public override int DepthOf(string key) => _depths.Of(key);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                                    // (B, channels, rows, frames)
    {
        RequireFeatures(input);
        using var scope = NewDisposeScope();
        var x = stem.call(_channelsLast ? ChannelsLast.Arrange(input) : input);     // (B, width, rows / 4, frames / 4)
        x = norm.call(stages.call(x));                                              // (B, out, rows / 32, frames / 32)
        return head.call(x).MoveToOuterDisposeScope();                              // (B, C)
    }

    /// <summary>All that comes before the head, in order.</summary>
    internal IReadOnlyList<nn.Module> Body => [stem, stages, norm];

    internal ClassifierHead Head => head;
}
