using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace BirdResearch.Export.Graph;

/// <summary>
/// A graph of standard ONNX operators under construction: nodes are added in the order in which they run, and equal constants are kept once.
/// The body of a Scan or Loop is a graph of its own that sees the values of the graph around it.
/// </summary>
public sealed class OnnxGraph
{
    /// <summary>Operator set of the default domain: the newest that onnxruntime 1.31 documents as released.</summary>
    public const int Opset = 21;

    /// <summary>Version of the file format that goes with <see cref="Opset"/>.</summary>
    public const int IrVersion = 10;

    readonly OnnxGraph? _around;
    readonly Dictionary<string, OnnxValue> _known = [];
    readonly List<OnnxNode> _nodes = [];
    readonly List<OnnxPort> _inputs = [], _outputs = [];
    readonly List<(OnnxValue, OnnxConstant)> _constants = [];
    int _count;

    /// <summary>An empty graph.</summary>
    public OnnxGraph()
    {
    }

    OnnxGraph(OnnxGraph around) => _around = around;

    /// <summary>An optional input that is left out.</summary>
    public static OnnxValue None { get; } = new("");

    /// <summary>Operations in running order.</summary>
    public IReadOnlyList<OnnxNode> Nodes => _nodes;

    /// <summary>What goes in.</summary>
    public IReadOnlyList<OnnxPort> Inputs => _inputs;

    /// <summary>What comes out.</summary>
    public IReadOnlyList<OnnxPort> Outputs => _outputs;

    /// <summary>Constants with their values.</summary>
    public IReadOnlyList<(OnnxValue Value, OnnxConstant Constant)> Constants => _constants;

    /// <summary>A graph for the body of a Scan or Loop: names stay unique, and its constants are kept here.</summary>
    public OnnxGraph Body() => new(this);

    /// <summary>Declares an input.</summary>
    public OnnxValue Input(string name, OnnxType type, params object[]? shape)
    {
        var value = Named(name);
        _inputs.Add(new OnnxPort(value, type, shape));
        return value;
    }

    /// <summary>Declares an output under a name of its own.</summary>
    public void Output(string name, OnnxValue value, OnnxType type, params object[]? shape)
    {
        // A loop pays for every operation in every round: what its body made is given as it is.
        if (_around is not null && _nodes.Exists(n => n.Outputs.Contains(value)) && !_outputs.Exists(o => o.Value == value))
        {
            _outputs.Add(new OnnxPort(value, type, shape));
            return;
        }
        var named = Named(name);
        _nodes.Add(new OnnxNode("Identity", [value], [named], []));
        _outputs.Add(new OnnxPort(named, type, shape));
    }

    /// <summary>Adds an operation with one result.</summary>
    public OnnxValue Add(string op, IReadOnlyList<OnnxValue> inputs, params OnnxAttribute[] attributes) => Add(op, inputs, 1, attributes)[0];

    /// <summary>Adds an operation with several results.</summary>
    public IReadOnlyList<OnnxValue> Add(string op, IReadOnlyList<OnnxValue> inputs, int outputs, params OnnxAttribute[] attributes)
    {
        OnnxValue[] made = [.. Enumerable.Range(0, outputs).Select(_ => Fresh(op))];
        _nodes.Add(new OnnxNode(op, [.. inputs], made, attributes));
        return made;
    }

    /// <summary>A constant.</summary>
    public OnnxValue Constant(OnnxConstant constant)
    {
        if (_around is not null) return _around.Constant(constant);
        var key = $"{constant.Type}({string.Join(',', constant.Shape)}){Convert.ToHexString(SHA256.HashData(constant.Bytes))}";
        if (_known.TryGetValue(key, out var known)) return known;
        var value = Fresh("c");
        _constants.Add((value, constant));
        return _known[key] = value;
    }

    /// <summary>float32 numbers of that shape; no dimensions make a scalar.</summary>
    public OnnxValue Floats(ReadOnlySpan<float> values, params long[] shape) =>
        Constant(new OnnxConstant(OnnxType.Float, shape, MemoryMarshal.AsBytes(values).ToArray()));

    /// <summary>A float32 scalar.</summary>
    public OnnxValue Float(double value) => Floats([(float)value]);

    /// <summary>A vector of 64-bit integers, as shapes, axes and indices are given.</summary>
    public OnnxValue Integers(params long[] values) =>
        Constant(new OnnxConstant(OnnxType.Int64, [values.Length], MemoryMarshal.AsBytes<long>(values).ToArray()));

    /// <summary>A graph with the inputs and constants of this one and no operation, to which these can be added again, some of them changed.</summary>
    public OnnxGraph Again()
    {
        var graph = new OnnxGraph { _count = _count };
        graph._inputs.AddRange(_inputs);
        graph._constants.AddRange(_constants);
        foreach (var (key, value) in _known) graph._known[key] = value;
        return graph;
    }

    /// <summary>Adds an operation of another graph under the names that it has there.</summary>
    public void Keep(OnnxNode node) => _nodes.Add(node);

    /// <summary>Declares an output that a kept operation makes under that name.</summary>
    public void Keep(OnnxPort output) => _outputs.Add(output);

    /// <summary>Forgets constants that no operation reads.</summary>
    public void DropUnused()
    {
        var read = new HashSet<OnnxValue>(_outputs.Select(o => o.Value));
        Read(this);
        _constants.RemoveAll(c => !read.Contains(c.Item1));
        foreach (var (key, _) in _known.Where(k => !read.Contains(k.Value)).ToList()) _known.Remove(key);

        void Read(OnnxGraph graph)
        {
            foreach (var node in graph._nodes)
            {
                read.UnionWith(node.Inputs);
                foreach (var attribute in node.Attributes)
                    if (attribute.Value is OnnxGraph body) Read(body);
            }
            read.UnionWith(graph._outputs.Select(o => o.Value));
        }
    }

    // Ports of a body take fresh names: a body's names may not hide those around it.
    OnnxValue Named(string name) => _around is null ? new OnnxValue(name) : Fresh(name);

    OnnxValue Fresh(string stem)
    {
        var top = this;
        while (top._around is { } around) top = around;
        return new OnnxValue($"{stem}_{top._count++}");
    }
}
