using BirdResearch.Export.Graph;
using BirdResearch.Features;
using BirdResearch.Inference;
using BirdResearch.Models;

namespace BirdResearch.Export;

/// <summary>Writes a front-end and a classifier as one ONNX graph: raw samples (B, T) in, logits (B, C) out, any B.</summary>
public static class OnnxExport
{
    /// <summary>Names of the graph's input and output.</summary>
    public const string Input = "samples", Output = "logits";

    /// <summary>Name of the input of a graph without front-end.</summary>
    public const string Features = "features";

    /// <summary>The graph of a front-end and a model in evaluation mode.</summary>
    public static OnnxGraph Graph(FrontEnd frontEnd, Classifier model, ModelCard card) => Graph(frontEnd, model, card, out _);

    /// <summary>The same, and where the front-end ends and the model begins.</summary>
    public static OnnxGraph Graph(FrontEnd frontEnd, Classifier model, ModelCard card, out OnnxValue features)
    {
        var graph = new OnnxGraph();
        var samples = graph.Input(Input, OnnxType.Float, "batch", card.WindowSamples);
        features = FrontEndNodes.Add(graph, frontEnd, samples, card.WindowSamples);
        graph.Output(Output, ModelNodes.Add(graph, model, features), OnnxType.Float, "batch", card.Classes.Count);
        return graph;
    }

    /// <summary>The graph of a model alone: features (B, channels, rows, frames) in, logits out.</summary>
    public static OnnxGraph Graph(Classifier model)
    {
        var graph = new OnnxGraph();
        var (channels, rows, frames) = model.Input;
        var features = graph.Input(Features, OnnxType.Float, "batch", channels, rows, frames);
        graph.Output(Output, ModelNodes.Add(graph, model, features), OnnxType.Float, "batch", model.Classes);
        return graph;
    }
}
