using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace BirdResearch.Inference;

/// <summary>A graph of one float32 input and one float32 output in onnxruntime on the CPU. May be called from several threads at once.</summary>
public sealed class OnnxSession : IDisposable
{
    readonly InferenceSession _session;
    readonly RunOptions _run = new();

    /// <param name="model">The bytes of an ONNX file.</param>
    /// <param name="threads">Threads within one call.</param>
    public OnnxSession(byte[] model, int threads = 1)
    {
        using var options = Options(threads);
        _session = new InferenceSession(model, options);
    }

    /// <summary>How every session here runs: operations one after another, their threads asleep while there is nothing to do.</summary>
    /// <param name="threads">Threads within one call.</param>
    public static SessionOptions Options(int threads)
    {
        var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); // decoding and torch use the same cores
        return options;
    }

    /// <summary>The output for an input, row-major.</summary>
    /// <param name="input">Values, row-major.</param>
    /// <param name="shape">Its dimensions.</param>
    public float[] Run(ReadOnlyMemory<float> input, params long[] shape)
    {
        using var value = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, MemoryMarshal.AsMemory(input), shape);
        using var results = _session.Run(_run, [_session.InputNames[0]], [value], [_session.OutputNames[0]]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
