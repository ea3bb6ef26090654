using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>
/// timm's and torchvision's ResNet, ResNeXt and SE-ResNeXt: a 7 x 7 stem and a maximum pool, each of stride 2, then four stages of basic blocks or
/// bottlenecks. He et al. 2016, Deep Residual Learning. Any input size, 1 or 3 channels.
/// </summary>
public sealed class ResNet : Classifier
{
    readonly Convolution conv1;
    readonly BatchNormAct bn1;
    readonly ActivationLayer act1;
    readonly MaxPool2d maxpool;
    readonly Chain layer1, layer2, layer3, layer4;
    readonly GlobalAverage global_pool;
    readonly Linear fc;
    readonly double _dropRate;
    readonly bool _channelsLast;
    readonly int[] _depths;

    internal ResNet(string name, ResNetPlan plan, int classes, InputShape input, ModelOptions options) : base(name, classes, input)
    {
        (_depths, _dropRate, _channelsLast) = (plan.Depths, options.DropRate, options.ChannelsLast);
        conv1 = new Convolution(input.Channels, plan.Widths[0], 7, 2);
        bn1 = new BatchNormAct(plan.Widths[0], Activation.None);
        act1 = new ActivationLayer(Activation.Relu);
        maxpool = nn.MaxPool2d(3, 2, 1);
        var (index, before) = (0, plan.Widths[0]);
        var stages = _depths.Select((_, stage) => Stage(stage)).ToArray();
        (layer1, layer2, layer3, layer4) = (stages[0], stages[1], stages[2], stages[3]);
        global_pool = new GlobalAverage();
        fc = nn.Linear(before, classes);
        RegisterComponents();

        Chain Stage(int stage)
        {
            var blocks = new List<nn.Module<Tensor, Tensor>>();
            for (var i = 0; i < _depths[stage]; i++, index++)
            {
                var stride = stage > 0 && i == 0 ? 2 : 1;
                var rate = options.DropPathRate * index / Math.Max(_depths.Sum() - 1, 1);
                blocks.Add(plan.Bottleneck
                    ? new ResNetBottleneck(before, plan.Middle(stage), plan.Output(stage), stride, plan.Groups, plan.Squeezes, rate)
                    : new ResNetBlock(before, plan.Output(stage), stride, rate));
                before = plan.Output(stage);
            }
            return new Chain(blocks);
        }
    }

    /// <inheritdoc/>
    public override string? StemKey => "conv1.weight";

    /// <inheritdoc/>
    public override string HeadKey => "fc";

    /// <inheritdoc/>
    public override int Depths => _depths.Sum() + 2;

    /// <inheritdoc/>
    public override int DepthOf(string key)
    {
        var parts = key.Split('.');
        if (parts[0] == "fc") return Depths - 1;
        if (!parts[0].StartsWith("layer", StringComparison.Ordinal)) return 0;
        return 1 + _depths.Take(parts[0][^1] - '1').Sum() + int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                            // (B, channels, rows, frames)
    {
        RequireFeatures(input);
        using var scope = NewDisposeScope();
        var x = bn1.call(conv1.call(_channelsLast ? ChannelsLast.Arrange(input) : input)); // (B, width, rows / 2, frames / 2)
        x = maxpool.call(act1.call(x));                                     // (B, width, rows / 4, frames / 4)
        x = layer4.call(layer3.call(layer2.call(layer1.call(x))));          // (B, out, rows / 32, frames / 32)
        x = global_pool.call(x);                                            // (B, out)
        if (_dropRate > 0 && training) x = nn.functional.dropout(x, _dropRate);
        return fc.call(x).MoveToOuterDisposeScope();                        // (B, C)
    }

    internal IReadOnlyList<nn.Module> Stem => [conv1, bn1, act1];

    internal IReadOnlyList<nn.Module> Stages => [layer1, layer2, layer3, layer4];

    internal Linear Output => fc;
}
