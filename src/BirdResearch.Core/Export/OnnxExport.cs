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

    /// <summary>The graph of a front-end and a model in evaluation mode.</summary>
    public static OnnxGraph Graph(FrontEnd frontEnd, Classifier model, ModelCard card)
    {
        var graph = new OnnxGraph();
        var samples = graph.Input(Input, OnnxType.Float, "batch", card.WindowSamples);
        var features = FrontEndNodes.Add(graph, frontEnd, samples, card.WindowSamples);
        graph.Output(Output, ModelNodes.Add(graph, model, features), OnnxType.Float, "batch", card.Classes.Count);
        return graph;
    }
}
