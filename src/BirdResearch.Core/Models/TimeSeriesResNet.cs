using TorchSharp.Modules;
using static TorchSharp.torch;

namespace BirdResearch.Models;

/// <summary>The numbers of a time-series ResNet.</summary>
/// <param name="Depths">Residual blocks per stage; every stage but the first halves the frames.</param>
/// <param name="Widths">Channels per stage; a bottleneck stage gives four times as many.</param>
/// <param name="Bottleneck">Bottleneck instead of basic blocks.</param>
/// <param name="StemKernel">Frames that the first kernel spans, over all rows at once.</param>
/// <param name="Kernel">Frames that the kernels of the stages span.</param>
sealed record TimeSeriesPlan(int[] Depths, long[] Widths, bool Bottleneck, long StemKernel, long Kernel);

/// <summary>
/// A residual network along time: the features are a d-dimensional series of length T, and every kernel spans all d rows at once,
/// (d, window). d is channels x rows, so it takes mel bands or the units of expand-and-sparsify alike.
/// </summary>
public sealed class TimeSeriesResNet : Classifier
{
    const long StemStride = 2;

    readonly SeriesConvolution conv1;
    readonly BatchNormAct bn1;
    readonly Chain layers;
    readonly GlobalAverage global_pool;
    readonly Linear fc;
    readonly double _dropRate;
    readonly long _rows;
    readonly StageDepths _depths;

    internal TimeSeriesResNet(string name, TimeSeriesPlan plan, int classes, InputShape input, ModelOptions options)
        : base(name, classes, input)
    {
        _dropRate = options.DropRate;
        _rows = input.Channels * input.Rows;
        MinimumFrames = StemStride << (plan.Depths.Length - 1);
        conv1 = new SeriesConvolution(_rows, plan.Widths[0], plan.StemKernel, StemStride, mayBeSparse: true);
        bn1 = new BatchNormAct(plan.Widths[0], Activation.Relu);
        layers = new Chain(BuildStages(plan, options.DropPathRate));
        global_pool = new GlobalAverage();
        fc = nn.Linear(plan.Widths[^1] * (plan.Bottleneck ? SeriesBlock.Expansion : 1), classes);
        RegisterComponents();
        _depths = new StageDepths(nameof(layers), plan.Depths, nameof(fc));
    }

    /// <summary>Fewest frames that it can take: those that leave one after every halving.</summary>
    public override long MinimumFrames { get; }

    /// <inheritdoc/>
    public override string HeadKey => "fc";

    /// <inheritdoc/>
    public override int Depths => _depths.Count;

    /// <inheritdoc/>
    public override int DepthOf(string key) => _depths.Of(key);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)                // (B, channels, rows, T)
    {
        RequireFeatures(input);
        if (input.shape[2] != Input.Rows)
            throw new ArgumentException($"{ModelName} was built for {Input.Rows} rows, but the features have {input.shape[2]}.");
        using var scope = NewDisposeScope();
        var x = input.flatten(1, 2);                            // (B, d, T), d = channels x rows
        x = bn1.call(conv1.call(x));                            // (B, width, T / 2)
        x = layers.call(x);                                     // (B, out, T / 16)
        x = global_pool.call(x);                                // (B, out)
        if (_dropRate > 0 && training) x = nn.functional.dropout(x, _dropRate);
        return fc.call(x).MoveToOuterDisposeScope();            // (B, C)
    }

    /// <summary>All that comes before the mean, in order.</summary>
    internal IReadOnlyList<nn.Module> Body => [conv1, bn1, layers];

    internal Linear Output => fc;

    static IEnumerable<Chain> BuildStages(TimeSeriesPlan plan, double dropPathRate)
    {
        var total = plan.Depths.Sum();
        var (input, index) = (plan.Widths[0], 0);
        for (var stage = 0; stage < plan.Depths.Length; stage++)
        {
            var blocks = new List<SeriesBlock>();
            for (var i = 0; i < plan.Depths[stage]; i++, index++)
            {
                var width = plan.Widths[stage];
                var stride = stage > 0 && i == 0 ? 2 : 1;
                var rate = dropPathRate * index / Math.Max(total - 1, 1);
                blocks.Add(new SeriesBlock(input, width, plan.Kernel, stride, plan.Bottleneck, rate));
                input = plan.Bottleneck ? width * SeriesBlock.Expansion : width;
            }
            yield return new Chain(blocks);
        }
    }
}
