using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// timm's <c>tf_efficientnet</c> family: depthwise-separable and inverted-residual blocks with squeeze-and-excite, TensorFlow's SAME
/// padding, any input size. Tan and Le 2019, EfficientNet; a member is a width and a depth multiplier.
/// </summary>
public sealed class EfficientNet : Classifier
{
    const double Epsilon = 1e-3;

    // Kernel, stride, expansion, blocks and output channels of EfficientNet-B0, stage by stage.
    static readonly (long Kernel, long Stride, long Expand, int Blocks, long Output)[] Stages =
    [
        (3, 1, 1, 1, 16), (3, 2, 6, 2, 24), (5, 2, 6, 2, 40), (3, 2, 6, 3, 80), (5, 1, 6, 3, 112), (5, 2, 6, 4, 192), (3, 1, 6, 1, 320),
    ];

    readonly Convolution conv_stem;
    readonly BatchNormAct bn1;
    readonly Chain blocks;
    readonly Convolution conv_head;
    readonly BatchNormAct bn2;
    readonly GlobalAverage global_pool;
    readonly Linear classifier;
    readonly double _dropRate;
    readonly bool _channelsLast;
    readonly StageDepths _depths;

    internal EfficientNet(string name, double width, double depth, int classes, InputShape input, ModelOptions options)
        : base(name, classes, input)
    {
        (_dropRate, _channelsLast) = (options.DropRate, options.ChannelsLast);
        var stem = Scaled(32, width);
        var head = Scaled(1280, width);
        conv_stem = new Convolution(input.Channels, stem, 3, 2, padding: Padding.Same);
        bn1 = new BatchNormAct(stem, Activation.Silu, Epsilon);
        blocks = new Chain(BuildStages(stem, width, depth, options.DropPathRate, out var last));
        conv_head = new Convolution(last, head);
        bn2 = new BatchNormAct(head, Activation.Silu, Epsilon);
        global_pool = new GlobalAverage();
        classifier = nn.Linear(head, classes);
        nn.init.uniform_(classifier.weight, -1 / Math.Sqrt(classes), 1 / Math.Sqrt(classes));
        nn.init.zeros_(classifier.bias);
        RegisterComponents();
        _depths = new StageDepths(nameof(blocks), [.. Stages.Select(s => BlocksOf(s.Blocks, depth))], nameof(classifier), [nameof(conv_head), nameof(bn2)]);
    }

    /// <inheritdoc/>
    public override string? StemKey => "conv_stem.weight";

    /// <inheritdoc/>
    public override string HeadKey => "classifier";

    /// <inheritdoc/>
    public override int Depths => _depths.Count;

    /// <inheritdoc/>
    public override int DepthOf(string key) => _depths.Of(key);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                // (B, channels, rows, frames)
    {
        RequireFeatures(input);
        using var scope = NewDisposeScope();
        var x = conv_stem.call(input);                          // (B, stem, rows / 2, frames / 2)
        if (_channelsLast) x = ChannelsLast.Arrange(x);
        x = blocks.call(bn1.call(x));                           // (B, last, rows / 32, frames / 32)
        x = bn2.call(conv_head.call(x));                        // (B, head, rows / 32, frames / 32)
        x = global_pool.call(x);                                // (B, head)
        if (_dropRate > 0 && training) x = nn.functional.dropout(x, _dropRate);
        return classifier.call(x).MoveToOuterDisposeScope();    // (B, C)
    }

    /// <summary>All that comes before the mean, in order.</summary>
    internal IReadOnlyList<nn.Module> Body => [conv_stem, bn1, blocks, conv_head, bn2];

    internal Linear Output => classifier;

    static List<Chain> BuildStages(long stem, double width, double depth, double dropPathRate, out long last)
    {
        var counts = Stages.Select(s => BlocksOf(s.Blocks, depth)).ToArray();
        var total = counts.Sum();
        var stages = new List<Chain>();
        var (input, index) = (stem, 0);
        foreach (var (stage, count) in Stages.Zip(counts))
        {
            var links = new List<nn.Module<Tensor, Tensor>>();
            for (var i = 0; i < count; i++, index++)
            {
                var block = new MobileBlock
                {
                    Input = input,
                    Output = Scaled(stage.Output, width),
                    Expanded = input * stage.Expand,
                    Kernel = stage.Kernel,
                    Stride = i == 0 ? stage.Stride : 1,
                    Squeezed = (long)Math.Round(0.25 * input), // of the channels that enter the block, not of the expanded ones
                    Activation = Activation.Silu,
                    SqueezeActivation = Activation.Silu,
                    Gate = Activation.Sigmoid,
                    Padding = Padding.Same,
                    Epsilon = Epsilon,
                    DropPathRate = dropPathRate * index / total,
                };
                links.Add(stage.Expand == 1 ? new DepthwiseSeparable(block) : new InvertedResidual(block));
                input = block.Output;
            }
            stages.Add(new Chain(links));
        }
        last = input;
        return stages;
    }

    static int BlocksOf(int blocks, double depth) => (int)Math.Ceiling(blocks * depth);

    static long Scaled(long channels, double width) => RoundedChannels.Of(channels * width);
}
