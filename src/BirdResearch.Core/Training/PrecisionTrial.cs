using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>Finds the faster precision by training a model for a few steps in either; the model is left as it was.</summary>
public static class PrecisionTrial
{
    /// <summary>How many times faster bf16 must be to be taken: its rounding is not bought for a gain within the noise.</summary>
    public const double LeastGain = 1.05;

    const int Rounds = 3;

    static readonly ConcurrentDictionary<(string Model, InputShape Shape, int Batch, int Threads), PrecisionChoice> Known = [];

    /// <summary>
    /// The choice for a model, its features' shape, a batch and the present threads, remembered while the process lives. A processor without bf16
    /// instructions is not tried: there libtorch converts every number back and forth.
    /// </summary>
    public static PrecisionChoice Choose(Classifier model, int batch) =>
        Known.GetOrAdd((model.ModelName, model.Input, batch, get_num_threads()), _ =>
            !model.modules().OfType<IMixedPrecision>().Any() ? new(ProductPrecision.Auto, "fp32", "the model has no bf16 form")
            : Processor.Bfloat16.Count == 0 ? new(ProductPrecision.Auto, "fp32", "the processor has no bf16 instructions")
            : Measure(model, batch));

    /// <summary>The choice by measurement alone.</summary>
    internal static PrecisionChoice Measure(Classifier model, int batch)
    {
        var gain = GainOf(model, batch);
        var taken = gain >= LeastGain ? "bf16" : "fp32";
        return new(ProductPrecision.Auto, taken, string.Create(CultureInfo.InvariantCulture, $"bf16 was {gain:0.00} times as fast as fp32 in a trial of training steps"));
    }

    /// <summary>Median of fp32's time over bf16's for one training step, forward and backward.</summary>
    static double GainOf(Classifier model, int batch)
    {
        using var scope = NewDisposeScope();
        var (shape, training) = (model.Input, model.training);
        var before = StateDictionary.Of(model).Select(e => e.Tensor.bytes.ToArray()).ToArray();
        var random = get_rng_state();
        var features = rand(batch, shape.Channels, shape.Rows, shape.Frames);
        var labels = rand(batch, model.Classes).lt(KeptScalar.Of(0.1)).to(ScalarType.Float32);
        model.train();
        try
        {
            var ratios = new List<double>();
            Seconds("fp32");
            var first = Seconds("bf16") / Seconds("fp32");
            if (first > 2) return 1 / first; // slower even before it is warm, and by far
            for (var round = 0; round < Rounds; round++) ratios.Add(Seconds("fp32") / Seconds("bf16"));
            return ratios.Order().ElementAt(Rounds / 2);
        }
        finally
        {
            using var off = no_grad();
            foreach (var (entry, bytes) in StateDictionary.Of(model).Zip(before)) bytes.CopyTo(entry.Tensor.bytes);
            foreach (var parameter in model.parameters()) parameter.grad = null;
            set_rng_state(random);
            ProductPrecision.Apply("fp32", model);
            model.train(training);
        }

        double Seconds(string precision)
        {
            using var step = NewDisposeScope();
            ProductPrecision.Apply(precision, model);
            var watch = Stopwatch.StartNew();
            nn.functional.binary_cross_entropy_with_logits(model.forward(features), labels).backward();
            foreach (var parameter in model.parameters()) parameter.grad = null;
            return watch.Elapsed.TotalSeconds;
        }
    }
}
