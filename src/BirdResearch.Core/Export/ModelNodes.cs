using BirdResearch.Export.Graph;
using BirdResearch.Models;

namespace BirdResearch.Export;

/// <summary>Turns a classifier in evaluation mode into operations: features (B, channels, rows, frames) in, logits (B, C) out.</summary>
static class ModelNodes
{
    /// <summary>The nodes of a model; a family without an exporter is an error that names it.</summary>
    public static OnnxValue Add(OnnxGraph graph, Classifier model, OnnxValue features) => model switch
    {
        EfficientNet image => ImageModelNodes.Add(graph, image, features),
        ResNet image => ImageModelNodes.Add(graph, image, features),
        ResNetV2 image => ImageModelNodes.Add(graph, image, features),
        MobileNetV3 image => ImageModelNodes.Add(graph, image, features),
        NfNet image => ImageModelNodes.Add(graph, image, features),
        TimeSeriesResNet series => ImageModelNodes.Add(graph, series, features),
        Readout readout => ImageModelNodes.Add(graph, readout, features),
        Mamba mamba => MambaNodes.Add(graph, mamba, features),
        Ssamba ssamba => SsambaNodes.Add(graph, ssamba, features),
        SashimiClassifier sashimi => SashimiNodes.Add(graph, sashimi, features),
        _ => throw new NotSupportedException($"{model.ModelName} has no ONNX form yet."),
    };
}
