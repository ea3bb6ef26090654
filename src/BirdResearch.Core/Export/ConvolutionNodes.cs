using BirdResearch.Export.Graph;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Export;

/// <summary>Convolutions of feature maps, with the batch norm that follows folded into their weights, and what stands between them.</summary>
static class ConvolutionNodes
{
    /// <summary>A 2-D convolution; SAME padding is settled here, as the size of the map is known.</summary>
    public static FeatureMap Convolve(this OnnxGraph graph, FeatureMap x, Convolution layer, BatchNormAct? norm = null)
    {
        var (rows, frames) = (layer.PaddingOf(x.Rows), layer.PaddingOf(x.Frames));
        return Convolve(graph, x, layer.Weight, layer.Bias, norm, (layer.Stride, layer.Stride), rows, frames, layer.Groups);
    }

    /// <summary>A 1-D convolution along time of a map with one row: as a 2-D one, for which onnxruntime has its blocked layout.</summary>
    public static FeatureMap Convolve(this OnnxGraph graph, FeatureMap x, SeriesConvolution layer, BatchNormAct? norm = null)
    {
        using var image = layer.Weight.unsqueeze(2);                                   // (out, in, 1, k)
        return Convolve(graph, x, image, null, norm, (1, layer.Stride), (0, 0), (layer.Padding, layer.Padding), 1);
    }

    /// <summary>A convolution of standardised kernels, which are settled here.</summary>
    public static FeatureMap Convolve(this OnnxGraph graph, FeatureMap x, ScaledConvolution layer)
    {
        using var off = no_grad();
        using var kernels = layer.Standardised(ScalarType.Float64);
        var padding = (layer.Padding, layer.Padding);
        return Convolve(graph, x, kernels, layer.Bias, null, (layer.Stride, layer.Stride), padding, padding, layer.Groups);
    }

    /// <summary>A batch norm that no convolution can take in, because a nonlinearity or padding stands between, and its activation.</summary>
    public static FeatureMap Norm(this OnnxGraph graph, FeatureMap x, BatchNormAct norm)
    {
        using var scope = NewDisposeScope();
        var (scale, shift) = norm.Affine();
        var (zero, one) = (zeros(x.Channels), ones(x.Channels));
        var y = graph.Add("BatchNormalization",
            [x.Value, graph.Tensor(scale), graph.Tensor(shift), graph.Tensor(zero), graph.Tensor(one)], ("epsilon", 0f));
        return x with { Value = graph.Activate(y, norm.Activation) };
    }

    /// <summary>The sum of two maps, and an activation.</summary>
    public static FeatureMap Sum(this OnnxGraph graph, FeatureMap x, FeatureMap y, Activation activation = Activation.None) =>
        x with { Value = graph.Activate(graph.Add("Add", [x.Value, y.Value]), activation) };

    /// <summary>An activation.</summary>
    public static FeatureMap Activate(this OnnxGraph graph, FeatureMap x, Activation activation) => x with { Value = graph.Activate(x.Value, activation) };

    /// <summary>The largest value of every window.</summary>
    public static FeatureMap MaxPool(this OnnxGraph graph, FeatureMap x, long kernel, long stride, long padding)
    {
        var y = graph.Add("MaxPool", [x.Value], ("kernel_shape", new[] { kernel, kernel }), ("strides", new[] { stride, stride }), ("pads", new[] { padding, padding, padding, padding }));
        return new FeatureMap(y, x.Channels, Size(x.Rows), Size(x.Frames));

        long Size(long size) => ((size + 2 * padding - kernel) / stride) + 1;
    }

    /// <summary>Mean over 2 x 2 cells, at the edges over what is there.</summary>
    public static FeatureMap MeanPool(this OnnxGraph graph, FeatureMap x)
    {
        var y = graph.Add("AveragePool", [x.Value], ("kernel_shape", new[] { 2L, 2 }), ("strides", new[] { 2L, 2 }), ("pads", new[] { 0, 0, x.Rows % 2, x.Frames % 2 }));
        return new FeatureMap(y, x.Channels, (x.Rows + 1) / 2, (x.Frames + 1) / 2);
    }

    /// <summary>Mean of each channel over rows and frames, as a map of one cell.</summary>
    public static FeatureMap Mean(this OnnxGraph graph, FeatureMap x) => new(graph.Add("GlobalAveragePool", [x.Value]), x.Channels, 1, 1);

    /// <summary>Mean of each channel over rows and frames: vectors (B, channels).</summary>
    public static OnnxValue GlobalAverage(this OnnxGraph graph, FeatureMap x) => graph.Add("Flatten", [graph.Mean(x).Value], ("axis", 1L));

    /// <summary>The channels scaled, each by a gate that all of them decide.</summary>
    public static FeatureMap SqueezeExcite(this OnnxGraph graph, FeatureMap x, SqueezeExcite layer)
    {
        var reduced = graph.Activate(graph.Convolve(graph.Mean(x), layer.Reduce), layer.Inner);
        var gate = graph.Activate(graph.Convolve(reduced, layer.Expand), layer.Gate);  // (B, C, 1, 1)
        return x with { Value = graph.Add("Mul", [x.Value, gate.Value]) };
    }

    /// <summary>The channels scaled, each by a gate that its neighbours decide, and by a factor.</summary>
    public static FeatureMap Attention(this OnnxGraph graph, FeatureMap x, EfficientAttention layer, double factor = 1)
    {
        var means = graph.Add("Reshape", [graph.Mean(x).Value, graph.Integers(0, 1, 1, x.Channels)]);             // (B, 1, 1, C)
        var filter = layer.Filter;
        using var kernel = filter.weight.unsqueeze(2);                                                               // (1, 1, 1, k)
        var reach = filter.weight.shape[2] / 2;
        var mixed = Convolve(graph, new FeatureMap(means, 1, 1, x.Channels), kernel, null, null, (1, 1), (0, 0), (reach, reach), 1);
        var gate = graph.Activate(mixed, Activation.Sigmoid).Value;
        if (factor != 1) gate = graph.Add("Mul", [gate, graph.Float(factor)]);
        return x with { Value = graph.Add("Mul", [x.Value, graph.Add("Reshape", [gate, graph.Integers(0, x.Channels, 1, 1)])]) };
    }

    /// <summary>A convolution with given weights (out, in / groups, height, width); a norm that follows is folded in, in float64.</summary>
    public static FeatureMap Convolve(
        this OnnxGraph graph, FeatureMap x, Tensor weight, Tensor? bias, BatchNormAct? norm, (long Rows, long Frames) stride,
        (long Before, long After) rows, (long Before, long After) frames, long groups)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var shape = weight.shape;
        (weight, bias) = (weight.to(ScalarType.Float64), bias?.to(ScalarType.Float64));
        if (norm is not null)
        {
            var (scale, shift) = norm.Affine();
            weight *= scale.reshape(-1, 1, 1, 1);
            bias = bias is null ? shift : shift.Plus(bias * scale);
        }
        OnnxValue[] inputs = [x.Value, graph.Tensor(weight), .. bias is null ? [] : new[] { graph.Tensor(bias) }];
        var y = graph.Add("Conv", inputs, ("kernel_shape", new[] { shape[2], shape[3] }), ("strides", new[] { stride.Rows, stride.Frames }),
            ("pads", new[] { rows.Before, frames.Before, rows.After, frames.After }), ("group", groups));
        var made = new FeatureMap(
            y, shape[0], ((x.Rows + rows.Before + rows.After - shape[2]) / stride.Rows) + 1,
            ((x.Frames + frames.Before + frames.After - shape[3]) / stride.Frames) + 1);
        return norm is null ? made : graph.Activate(made, norm.Activation);
    }
}
