namespace BirdResearch.Export.Graph;

/// <summary>A named setting of a node: an integer, a number, a text, a list of the first two, a tensor or a graph.</summary>
public sealed class OnnxAttribute
{
    OnnxAttribute(string name, object value) => (Name, Value) = (name, value);

    /// <summary>Its name in ONNX's operator specification.</summary>
    public string Name { get; }

    internal object Value { get; }

    /// <summary>An integer.</summary>
    public static implicit operator OnnxAttribute((string Name, long Value) a) => new(a.Name, a.Value);

    /// <summary>A number, kept as float32.</summary>
    public static implicit operator OnnxAttribute((string Name, float Value) a) => new(a.Name, a.Value);

    /// <summary>A text.</summary>
    public static implicit operator OnnxAttribute((string Name, string Value) a) => new(a.Name, a.Value);

    /// <summary>Integers.</summary>
    public static implicit operator OnnxAttribute((string Name, long[] Value) a) => new(a.Name, a.Value);

    /// <summary>Numbers, kept as float32.</summary>
    public static implicit operator OnnxAttribute((string Name, float[] Value) a) => new(a.Name, a.Value);

    /// <summary>A tensor.</summary>
    public static implicit operator OnnxAttribute((string Name, OnnxConstant Value) a) => new(a.Name, a.Value);

    /// <summary>The body of a Scan, Loop or If.</summary>
    public static implicit operator OnnxAttribute((string Name, OnnxGraph Value) a) => new(a.Name, a.Value);
}
