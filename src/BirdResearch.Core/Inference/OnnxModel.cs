using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace BirdResearch.Inference;

/// <summary>A model in an ONNX file that takes raw samples (B, T) and gives logits (B, C), run by onnxruntime on the CPU.</summary>
public sealed class OnnxModel : IWindowClassifier
{
    readonly InferenceSession _session;
    readonly RunOptions _options = new();
    readonly string _input, _output;

    OnnxModel(InferenceSession session, ModelCard card)
    {
        (_session, Card) = (session, card);
        (_input, _output) = (session.InputNames[0], session.OutputNames[0]);
    }

    /// <inheritdoc/>
    public ModelCard Card { get; }

    /// <summary>Opens a file that <c>bird export</c> wrote; one that is missing, broken or of another kind is an error that names it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="threads">Threads within one call; several calls may run side by side.</param>
    public static OnnxModel Open(string path, int threads = 1)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no model file '{path}'. Export a run with 'bird export RUN'.", path);
        using var options = OnnxSession.Options(threads);
        InferenceSession session;
        try
        {
            session = new InferenceSession(path, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidDataException($"'{path}' is not an ONNX model that onnxruntime can run: {e.Message}", e);
        }
        try
        {
            var card = ModelCard.FromMetadata(session.ModelMetadata.CustomMetadataMap, path);
            RequireShapes(session, card, path);
            return new OnnxModel(session, card);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Score(ReadOnlyMemory<float> windows, int count, Span<float> logits)
    {
        var (samples, classes) = (Card.WindowSamples, Card.Classes.Count);
        if (count < 1 || windows.Length != count * samples || logits.Length != count * classes)
            throw new ArgumentException(
                $"{Card.Name} takes windows of {samples} samples and gives {classes} logits each; {count} windows, {windows.Length} samples and " +
                $"{logits.Length} logits do not fit.");
        using var input = OrtValue.CreateTensorValueFromMemory(
            OrtMemoryInfo.DefaultInstance, MemoryMarshal.AsMemory(windows), [count, samples]);
        using var results = _session.Run(_options, [_input], [input], [_output]);
        results[0].GetTensorDataAsSpan<float>().CopyTo(logits);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _options.Dispose();
        _session.Dispose();
    }

    static void RequireShapes(InferenceSession session, ModelCard card, string path)
    {
        var (inputs, outputs) = (session.InputMetadata, session.OutputMetadata);
        if (inputs.Count == 1 && outputs.Count == 1
            && inputs[session.InputNames[0]] is { ElementDataType: Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float, Dimensions: [_, var samples] }
            && outputs[session.OutputNames[0]] is { ElementDataType: Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float, Dimensions: [_, var classes] }
            && (samples == card.WindowSamples || samples < 0) && classes == card.Classes.Count) return;
        throw new InvalidDataException(
            $"'{path}' does not do what its metadata say: expected float32 samples (B, {card.WindowSamples}) in and logits (B, {card.Classes.Count}) out. " +
            "Export the run again.");
    }
}
