using BirdResearch.Export.Graph;
using BirdResearch.Models;

namespace BirdResearch.Export;

/// <summary>Image models and readouts.</summary>
static class ImageModelNodes
{
    /// <summary>Stem, stages, head, mean and classifier.</summary>
    public static OnnxValue Add(OnnxGraph graph, EfficientNet model, OnnxValue features) =>
        graph.Linear(graph.GlobalAverage(graph.Links(Map(model, features), model.Body)), model.Output);

    /// <summary>Stem with its pool, stages, mean and classifier.</summary>
    public static OnnxValue Add(OnnxGraph graph, ResNet model, OnnxValue features)
    {
        var stem = graph.MaxPool(graph.Links(Map(model, features), model.Stem), 3, 2, 1);
        return graph.Linear(graph.GlobalAverage(graph.Links(stem, model.Stages)), model.Output);
    }

    /// <summary>Stem, stages, the last norm, mean and classifier.</summary>
    public static OnnxValue Add(OnnxGraph graph, ResNetV2 model, OnnxValue features) => Headed(graph, graph.Links(Map(model, features), model.Body), model.Head);

    /// <summary>Stem, stages, the last convolution, mean and classifier.</summary>
    public static OnnxValue Add(OnnxGraph graph, NfNet model, OnnxValue features) => Headed(graph, graph.Links(Map(model, features), model.Body), model.Head);

    /// <summary>Stem, stages, mean, a layer on the mean, and classifier.</summary>
    public static OnnxValue Add(OnnxGraph graph, MobileNetV3 model, OnnxValue features)
    {
        var pooled = graph.GlobalAverage(graph.Links(Map(model, features), model.Body));
        var hidden = graph.Activate(graph.Linear(pooled, model.Hidden.weight!, model.Hidden.bias), model.HiddenActivation);
        return graph.Linear(hidden, model.Output);
    }

    /// <summary>The rows become channels of one row; then stem, stages, mean and classifier along time.</summary>
    public static OnnxValue Add(OnnxGraph graph, TimeSeriesResNet model, OnnxValue features)
    {
        var (channels, rows, frames) = model.Input;
        var series = graph.Add("Reshape", [features, graph.Integers(0, channels * rows, 1, frames)]);   // (B, d, 1, T)
        var x = graph.Links(new FeatureMap(series, channels * rows, 1, frames), model.Body);
        return graph.Linear(graph.GlobalAverage(x), model.Output);
    }

    /// <summary>Each row's mean over time and, where asked for, its peak; the norm is folded into the first linear layer.</summary>
    public static OnnxValue Add(OnnxGraph graph, Readout model, OnnxValue features)
    {
        var rows = graph.Add("Flatten", [graph.Add("ReduceMean", [features, graph.Integers(3)], ("keepdims", 0L))], ("axis", 1L));
        if (model.ReadsPeaks)
        {
            var peaks = graph.Add("Flatten", [graph.Add("ReduceMax", [features, graph.Integers(3)], ("keepdims", 0L))], ("axis", 1L));
            rows = graph.Add("Concat", [rows, peaks], ("axis", 1L));
        }
        using var scope = TorchSharp.torch.NewDisposeScope();
        var norm = model.Norm.Affine();
        return model.Hidden is { } hidden
            ? graph.Linear(graph.Activate(graph.Linear(rows, hidden, norm), Activation.Relu), model.Output)
            : graph.Linear(rows, model.Output, norm);
    }

    static OnnxValue Headed(OnnxGraph graph, FeatureMap x, ClassifierHead head) => graph.Linear(graph.GlobalAverage(x), head.Weight, head.Bias);

    static FeatureMap Map(Classifier model, OnnxValue features) => new(features, model.Input.Channels, model.Input.Rows, model.Input.Frames);
}
