using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// timm's <c>mobilenetv3</c> family: depthwise-separable and inverted-residual blocks, Hardswish, and a head convolution behind the mean. Howard et
/// al. 2019, Searching for MobileNetV3; a member is a list of stages, a width multiplier and a head width. Any input size.
/// </summary>
public sealed class MobileNetV3 : Classifier
{
    const long Stem = 16;

    /// <summary>Stages of MobileNetV3-Large; one pointwise convolution of six times the width follows.</summary>
    internal static readonly MobileStage[] Large =
    [
        new(3, 1, [1], 16, Activation.Relu, false),
        new(3, 2, [4, 3], 24, Activation.Relu, false),
        new(5, 2, [3, 3, 3], 40, Activation.Relu, true),
        new(3, 2, [6, 2.5, 2.3, 2.3], 80, Activation.Hardswish, false),
        new(3, 1, [6, 6], 112, Activation.Hardswish, true),
        new(5, 2, [6, 6, 6], 160, Activation.Hardswish, true),
    ];

    /// <summary>Stages of MobileNetV3-Small.</summary>
    internal static readonly MobileStage[] Small =
    [
        new(3, 2, [1], 16, Activation.Relu, true),
        new(3, 2, [4.5, 3.67], 24, Activation.Relu, false),
        new(5, 2, [4, 6, 6], 40, Activation.Hardswish, true),
        new(5, 1, [3, 3], 48, Activation.Hardswish, true),
        new(5, 2, [6, 6, 6], 96, Activation.Hardswish, true),
    ];

    readonly Convolution conv_stem;
    readonly BatchNormAct bn1;
    readonly Chain blocks;
    readonly GlobalAverage global_pool;
    readonly Conv2d conv_head;
    readonly Identity norm_head;
    readonly ActivationLayer act2;
    readonly Linear classifier;
    readonly double _dropRate;
    readonly bool _channelsLast;
    readonly StageDepths _depths;

    internal MobileNetV3(string name, MobileStage[] stages, double width, long head, int classes, InputShape input, ModelOptions options)
        : base(name, classes, input)
    {
        (_dropRate, _channelsLast) = (options.DropRate, options.ChannelsLast);
        var stem = width < 0.75 ? Stem : RoundedChannels.Of(Stem * width); // timm's narrow members keep the stem
        var last = RoundedChannels.Of(6 * stages[^1].Output * width);
        conv_stem = new Convolution(input.Channels, stem, 3, 2);
        bn1 = new BatchNormAct(stem, Activation.Hardswish);
        blocks = new Chain(BuildStages(stages, stem, width, last, options.DropPathRate));
        global_pool = new GlobalAverage(keepAxes: true);
        conv_head = nn.Conv2d(last, head, 1);
        nn.init.normal_(conv_head.weight, 0, Math.Sqrt(2.0 / head));
        nn.init.zeros_(conv_head.bias!);
        norm_head = nn.Identity();
        act2 = new ActivationLayer(Activation.Hardswish);
        classifier = nn.Linear(head, classes);
        nn.init.uniform_(classifier.weight, -1 / Math.Sqrt(classes), 1 / Math.Sqrt(classes));
        nn.init.zeros_(classifier.bias);
        RegisterComponents();
        _depths = new StageDepths(nameof(blocks), [.. stages.Select(s => s.Expansions.Length), 1], nameof(classifier), [nameof(conv_head)]);
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
    public override Tensor forward(Tensor input)                            // (B, channels, rows, frames)
    {
        RequireFeatures(input);
        using var scope = NewDisposeScope();
        var x = conv_stem.call(input);                                      // (B, stem, rows / 2, frames / 2)
        if (_channelsLast) x = ChannelsLast.Arrange(x);
        x = blocks.call(bn1.call(x));                                       // (B, last, rows / 32, frames / 32)
        x = global_pool.call(x);                                            // (B, last, 1, 1)
        x = act2.call(norm_head.call(conv_head.call(x))).flatten(1);        // (B, head)
        if (_dropRate > 0 && training) x = nn.functional.dropout(x, _dropRate);
        return classifier.call(x).MoveToOuterDisposeScope();                // (B, C)
    }

    static List<Chain> BuildStages(MobileStage[] stages, long stem, double width, long last, double dropPathRate)
    {
        var total = stages.Sum(s => s.Expansions.Length) + 1;
        var chains = new List<Chain>();
        var (input, index) = (stem, 0);
        foreach (var stage in stages)
        {
            var links = new List<nn.Module<Tensor, Tensor>>();
            foreach (var expansion in stage.Expansions)
            {
                var expanded = expansion == 1 ? input : RoundedChannels.Of(input * expansion);
                var block = new MobileBlock
                {
                    Input = input,
                    Output = RoundedChannels.Of(stage.Output * width),
                    Expanded = expanded,
                    Kernel = stage.Kernel,
                    Stride = links.Count == 0 ? stage.Stride : 1,
                    Squeezed = stage.Squeezes ? RoundedChannels.Of(0.25 * expanded) : 0, // of the expanded channels, unlike EfficientNet
                    Activation = stage.Activation,
                    SqueezeActivation = Activation.Relu,
                    Gate = Activation.Hardsigmoid,
                    Padding = Padding.Symmetric,
                    Epsilon = 1e-5,
                    DropPathRate = dropPathRate * index++ / total,
                };
                links.Add(expansion == 1 ? new DepthwiseSeparable(block) : new InvertedResidual(block));
                input = block.Output;
            }
            chains.Add(new Chain(links));
        }
        chains.Add(new Chain([new ConvolutionNorm(input, last, Activation.Hardswish)]));
        return chains;
    }

    /// <summary>All that comes before the mean, in order.</summary>
    internal IReadOnlyList<nn.Module> Body => [conv_stem, bn1, blocks];

    /// <summary>The layer on the mean.</summary>
    internal Conv2d Hidden => conv_head;

    internal Activation HiddenActivation => act2.Activation;

    internal Linear Output => classifier;
}
