using BirdResearch.Export.Graph;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>Torch's tensors as constants of a graph.</summary>
static class Constants
{
    /// <summary>A tensor's values as a float32 constant of its shape.</summary>
    public static OnnxValue Tensor(this OnnxGraph graph, Tensor values)
    {
        using var scope = NewDisposeScope();
        return graph.Floats(values.detach().to(ScalarType.Float32).contiguous().data<float>().ToArray(), values.shape);
    }
}
