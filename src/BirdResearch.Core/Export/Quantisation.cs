using BirdResearch.Export.Graph;
using BirdResearch.Inference;

namespace BirdResearch.Export;

/// <summary>
/// The 8-bit form of a convolutional network: weights are signed, with a scale for each channel that they make; maps are unsigned, with a scale and
/// a zero each, from ranges that are measured beforehand. Values pass through QuantizeLinear and DequantizeLinear, which onnxruntime joins with the
/// convolutions, sums, means, gates and SiLUs between them into integer ones (ONNX specification, "QuantizeLinear"; onnxruntime, "Quantize ONNX models",
/// QDQ format). The front-end, what is done with pooled vectors, and the classifier stay in float32. Processors without
/// VNNI instructions can saturate where a weight and a map are both near full scale.
/// </summary>
public sealed class Quantisation
{
    /// <summary>Fewest channels under the kernel of a grouped convolution for which integers are faster.</summary>
    public const int FewestChannels = 16;

    const string Watched = "ranges";

    readonly OnnxGraph _graph;
    readonly Dictionary<OnnxValue, OnnxConstant> _constants;
    readonly HashSet<OnnxNode> _convolutions = new(ReferenceEqualityComparer.Instance);
    readonly List<OnnxValue> _values = [];

    /// <param name="graph">The float32 graph; it stays as it is.</param>
    /// <param name="features">Where its model begins; nothing before this is changed.</param>
    public Quantisation(OnnxGraph graph, OnnxValue features)
    {
        _graph = graph;
        _constants = graph.Constants.ToDictionary(c => c.Value, c => c.Constant);
        var (ours, pooled) = (new HashSet<OnnxValue> { features }, new HashSet<OnnxValue>());
        foreach (var node in graph.Nodes)
        {
            if (!node.Inputs.Any(ours.Contains)) continue;
            ours.UnionWith(node.Outputs);
            if (node.Operator == "GlobalAveragePool" || node.Inputs.Where(ours.Contains).All(pooled.Contains)) pooled.UnionWith(node.Outputs);
            else if (node.Operator == "Conv" && Pays(node)) _convolutions.Add(node);
        }

        // Sequence models pool no map: they hold a convolution or two, in which they spend no time.
        if (pooled.Count == 0) _convolutions.Clear();

        var readers = graph.Nodes.SelectMany(n => n.Inputs.Select(v => (Value: v, Node: n))).ToLookup(r => r.Value, r => r.Node);
        var chosen = new HashSet<OnnxValue>();
        foreach (var node in graph.Nodes.Where(_convolutions.Contains)) chosen.UnionWith([node.Inputs[0], Rectified(node.Outputs[0])]);
        foreach (var node in graph.Nodes)
            switch (node.Operator)
            {
                case "Add" or "Sigmoid" or "GlobalAveragePool" when node.Inputs.All(chosen.Contains):
                    chosen.Add(Rectified(node.Outputs[0]));
                    break;
                case "Mul" when node.Inputs.Any(chosen.Contains) && node.Inputs.All(v => chosen.Contains(v) || pooled.Contains(v)):
                    chosen.UnionWith(node.Inputs.Append(node.Outputs[0]));
                    break;
            }
        _values.AddRange(graph.Inputs.Select(i => i.Value).Concat(graph.Nodes.SelectMany(n => n.Outputs)).Where(chosen.Contains));

        // A ReLU is nothing but the range's lower end, so that it costs nothing in integers.
        OnnxValue Rectified(OnnxValue value) => readers[value].ToList() is [{ Operator: "Relu" } relu] ? relu.Outputs[0] : value;
    }

    /// <summary>How many convolutions become integer ones.</summary>
    public int Convolutions => _convolutions.Count;

    /// <summary>Measures the range of every value that becomes 8-bit, by running the float32 graph.</summary>
    /// <param name="batches">Inputs of the graph, row-major, with their shapes; at least one.</param>
    /// <param name="threads">Threads within one call.</param>
    /// <returns>One range for each value, in the order in which <see cref="Graph"/> takes them.</returns>
    public IReadOnlyList<ValueRange> Measure(IEnumerable<(ReadOnlyMemory<float> Input, long[] Shape)> batches, int threads = 1)
    {
        var ranges = new ValueRange[_values.Count];
        using var session = new OnnxSession(OnnxFile.Bytes(Watching(), new Dictionary<string, string>()), threads);
        var windows = 0L;
        foreach (var (input, shape) in batches)
        {
            var extremes = session.Run(input, shape);                                  // (B, 2 V, 1, 1)
            for (var row = 0; row < shape[0]; row++, windows++)
                for (var v = 0; v < ranges.Length; v++)
                {
                    var (least, greatest) = (extremes[(((row * ranges.Length) + v) * 2)], extremes[(((row * ranges.Length) + v) * 2) + 1]);
                    if (!float.IsFinite(least) || !float.IsFinite(greatest))
                        throw new InvalidOperationException("The float32 model gives numbers that are not finite on the calibration windows; it cannot be quantised.");
                    ranges[v] = new ValueRange(Math.Min(ranges[v].Least, least), Math.Max(ranges[v].Greatest, greatest));
                }
        }
        if (windows == 0) throw new ArgumentException("There is no window to calibrate on.", nameof(batches));
        return ranges;
    }

    /// <summary>The graph with integer convolutions.</summary>
    /// <param name="ranges">What <see cref="Measure"/> gave.</param>
    public OnnxGraph Graph(IReadOnlyList<ValueRange> ranges)
    {
        if (ranges.Count != _values.Count) throw new ArgumentException($"{_values.Count} values become 8-bit, but {ranges.Count} ranges are given.", nameof(ranges));
        var rangeOf = _values.Zip(ranges).ToDictionary(v => v.First, v => v.Second);
        var graph = _graph.Again();
        var coded = new Dictionary<OnnxValue, OnnxValue>();
        foreach (var port in graph.Inputs) Code(port.Value);
        foreach (var node in _graph.Nodes)
        {
            var inputs = node.Inputs.Select(v => coded.GetValueOrDefault(v, v)).ToList();
            if (_convolutions.Contains(node))
            {
                var scales = Scales(node, rangeOf[node.Inputs[0]].Scale);
                inputs[1] = graph.Weights(_constants[node.Inputs[1]], scales);
                if (inputs.Count > 2) inputs[2] = graph.Biases(_constants[node.Inputs[2]], scales, rangeOf[node.Inputs[0]].Scale);
            }
            graph.Keep(node with { Inputs = inputs });
            foreach (var output in node.Outputs) Code(output);
        }
        foreach (var port in _graph.Outputs) graph.Keep(port);
        graph.DropUnused();
        return graph;

        void Code(OnnxValue value)
        {
            if (rangeOf.TryGetValue(value, out var range)) coded[value] = graph.Coded(value, range);
        }
    }

    /// <summary>The graph with one output, the extremes of every value in every window: (B, 2 V, 1, 1), the least and the greatest in turn.</summary>
    OnnxGraph Watching()
    {
        var graph = _graph.Again();
        foreach (var node in _graph.Nodes) graph.Keep(node);
        var extremes = _values.SelectMany(v => new[] { graph.Reduce("ReduceMin", v, 1, 2, 3), graph.Reduce("ReduceMax", v, 1, 2, 3) });
        graph.Output(Watched, graph.Concat(1, [.. extremes]), OnnxType.Float, "batch", 2 * _values.Count, 1, 1);
        return graph;
    }

    /// <summary>A scale for each channel that a convolution makes; its bias, in steps of it and the map's scale, must fit 32 bits.</summary>
    float[] Scales(OnnxNode convolution, float map)
    {
        var scales = QuantisedNodes.ScalesOf(_constants[convolution.Inputs[1]]);
        if (convolution.Inputs.Count > 2)
            foreach (var (i, bias) in QuantisedNodes.Numbers(_constants[convolution.Inputs[2]]).ToArray().Index())
                scales[i] = Math.Max(scales[i], Math.Abs(bias) / (map * (1 << 30)));
        return scales;
    }

    bool Pays(OnnxNode convolution) =>
        _constants.TryGetValue(convolution.Inputs[1], out var weight) && weight is { Type: OnnxType.Float, Shape: [var made, var under, _, _] }
        && GroupsOf(convolution) is var groups && (groups == 1 || groups == made || under >= FewestChannels)
        && (convolution.Inputs.Count < 3 || _constants.ContainsKey(convolution.Inputs[2]));

    static long GroupsOf(OnnxNode convolution) => convolution.Attributes.FirstOrDefault(a => a.Name == "group")?.Value is long groups ? groups : 1;
}
