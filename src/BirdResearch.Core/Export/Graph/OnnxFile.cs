using System.Text;
using BirdResearch.Files;
using Google.Protobuf;

namespace BirdResearch.Export.Graph;

/// <summary>Writes a graph as an ONNX file: the protocol buffers of onnx.proto, of which an exporter needs a dozen fields.</summary>
public static class OnnxFile
{
    const int LargestBytes = int.MaxValue - (1 << 20);

    /// <summary>Writes the file; beside it first, and renamed when whole.</summary>
    /// <param name="path">Where to; an existing file is replaced.</param>
    /// <param name="graph">The graph, with inputs and outputs declared.</param>
    /// <param name="metadata">Keys and texts that the file carries.</param>
    public static void Write(string path, OnnxGraph graph, IReadOnlyDictionary<string, string> metadata) =>
        WholeFile.Write(path, beside => File.WriteAllBytes(beside, Bytes(graph, metadata)));

    /// <summary>The bytes of the file.</summary>
    public static byte[] Bytes(OnnxGraph graph, IReadOnlyDictionary<string, string> metadata)
    {
        if (graph.Constants.Sum(c => (long)c.Constant.Bytes.Length) > LargestBytes)
            throw new InvalidOperationException("The model's constants exceed the 2 GB that one ONNX file can hold.");
        return Message(model =>
        {
            Integer(model, 1, OnnxGraph.IrVersion);
            Text(model, 2, "BirdResearch");
            Nested(model, 7, Message(g => Graph(g, graph, "bird")));
            Nested(model, 8, Message(set => Integer(set, 2, OnnxGraph.Opset)));
            foreach (var (key, value) in metadata)
                Nested(model, 14, Message(entry =>
                {
                    Text(entry, 1, key);
                    Text(entry, 2, value);
                }));
        });
    }

    static void Graph(CodedOutputStream to, OnnxGraph graph, string name)
    {
        foreach (var node in graph.Nodes) Nested(to, 1, Message(n => Node(n, node)));
        Text(to, 2, name);
        foreach (var (value, constant) in graph.Constants) Nested(to, 5, Message(t => Tensor(t, constant, value.Name)));
        foreach (var port in graph.Inputs) Nested(to, 11, Message(p => Port(p, port)));
        foreach (var port in graph.Outputs) Nested(to, 12, Message(p => Port(p, port)));
    }

    static void Node(CodedOutputStream to, OnnxNode node)
    {
        foreach (var input in node.Inputs) Text(to, 1, input.Name);
        foreach (var output in node.Outputs) Text(to, 2, output.Name);
        Text(to, 3, node.Outputs[0].Name);
        Text(to, 4, node.Operator);
        foreach (var attribute in node.Attributes) Nested(to, 5, Message(a => Attribute(a, attribute)));
    }

    static void Attribute(CodedOutputStream to, OnnxAttribute attribute)
    {
        Text(to, 1, attribute.Name);
        switch (attribute.Value)
        {
            case float number:
                to.WriteTag(2, WireFormat.WireType.Fixed32);
                to.WriteFloat(number);
                Integer(to, 20, 1);
                break;
            case long integer:
                Integer(to, 3, integer);
                Integer(to, 20, 2);
                break;
            case string text:
                Text(to, 4, text);
                Integer(to, 20, 3);
                break;
            case OnnxConstant constant:
                Nested(to, 5, Message(t => Tensor(t, constant, attribute.Name)));
                Integer(to, 20, 4);
                break;
            case OnnxGraph graph:
                Nested(to, 6, Message(g => Graph(g, graph, attribute.Name)));
                Integer(to, 20, 5);
                break;
            case float[] numbers:
                foreach (var number in numbers)
                {
                    to.WriteTag(7, WireFormat.WireType.Fixed32);
                    to.WriteFloat(number);
                }
                Integer(to, 20, 6);
                break;
            case long[] integers:
                foreach (var integer in integers) Integer(to, 8, integer);
                Integer(to, 20, 7);
                break;
        }
    }

    static void Tensor(CodedOutputStream to, OnnxConstant constant, string name)
    {
        foreach (var size in constant.Shape) Integer(to, 1, size);
        Integer(to, 2, (long)constant.Type);
        Text(to, 8, name);
        Nested(to, 9, constant.Bytes);
    }

    static void Port(CodedOutputStream to, OnnxPort port)
    {
        Text(to, 1, port.Value.Name);
        Nested(to, 2, Message(type => Nested(type, 1, Message(tensor =>
        {
            Integer(tensor, 1, (long)port.Type);
            if (port.Shape is { } shape)
                Nested(tensor, 2, Message(dims =>
                {
                    foreach (var size in shape)
                        Nested(dims, 1, Message(dim =>
                        {
                            if (size is string free) Text(dim, 2, free);
                            else Integer(dim, 1, Convert.ToInt64(size, System.Globalization.CultureInfo.InvariantCulture));
                        }));
                }));
        }))));
    }

    static byte[] Message(Action<CodedOutputStream> fill)
    {
        using var bytes = new MemoryStream();
        using (var stream = new CodedOutputStream(bytes, leaveOpen: true)) fill(stream);
        return bytes.ToArray();
    }

    static void Integer(CodedOutputStream to, int field, long value)
    {
        to.WriteTag(field, WireFormat.WireType.Varint);
        to.WriteInt64(value);
    }

    static void Text(CodedOutputStream to, int field, string value) => Nested(to, field, Encoding.UTF8.GetBytes(value));

    static void Nested(CodedOutputStream to, int field, byte[] bytes)
    {
        to.WriteTag(field, WireFormat.WireType.LengthDelimited);
        to.WriteBytes(UnsafeByteOperations.UnsafeWrap(bytes));
    }
}
