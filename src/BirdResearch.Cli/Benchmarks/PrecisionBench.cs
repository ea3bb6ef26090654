using BirdResearch.Experiments;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Models;
using BirdResearch.Training;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>A training step in fp32, for image models in both memory orders, and in bf16, of 5 s clips through the model's front-end.</summary>
static class PrecisionBench
{
    const int Classes = 182;
    const double Seconds = 5;

    static readonly string[] Default = ["tf_efficientnet_b0", "tf_efficientnet_b4", "tsresnet18"];

    /// <summary>The group; its tensors live in the current dispose scope.</summary>
    /// <param name="batch">Clips in one call.</param>
    /// <param name="models">Models to time; empty for EfficientNet-B0, B4 and the 18-layer time-series ResNet.</param>
    public static BenchGroup Create(int batch, IReadOnlyList<string> models)
    {
        var cases = new List<BenchCase>();
        var goals = new List<(string Name, List<BenchCase> Single, BenchCase Brain)>();
        foreach (var name in models.Count > 0 ? models : Default)
        {
            using var frontEnd = FrontEnds.Create(Classifiers.Named(name).FrontEnd);
            var shape = TrialRunner.ShapeOf(frontEnd, Seconds);
            var input = randn(batch, shape.Channels, shape.Rows, shape.Frames);
            var labels = (rand(batch, Classes) < 0.02).to(ScalarType.Float32);
            BenchCase Case(string variant, ModelOptions options, string precision)
            {
                var one = Step(name, variant, shape, options, precision, input, labels);
                cases.Add(one);
                return one;
            }
            List<BenchCase> single = [];
            if (IsForImages(name, shape)) single.Add(Case("fp32 contiguous", new ModelOptions { ChannelsLast = false }, "fp32"));
            var order = single.Count > 0 ? " channels-last" : "";
            single.Add(Case("fp32" + order, new ModelOptions(), "fp32"));
            goals.Add((name, single, Case("bf16" + order, new ModelOptions(), "bf16")));
        }
        var instructions = Processor.Bfloat16.Count == 0 ? "the processor has no bf16 instructions" : $"the processor has {string.Join(" and ", Processor.Bfloat16)}";
        return new BenchGroup("precision", $"Training step (forward, backward, AdamW) by precision, 5 s clips, batch {batch}; {instructions}", cases)
        {
            Goals = times => [.. goals.Select(g =>
            {
                var fastest = times.Fastest(g.Single);
                return new BenchGoal($"{g.Name}, training in bf16 over {fastest.Variant}", times.Ratio(fastest, g.Brain), "x");
            })],
        };
    }

    /// <summary>Whether the model convolves over rows and frames, so that a memory order is to be chosen.</summary>
    static bool IsForImages(string name, InputShape shape)
    {
        using var model = Classifiers.Create(name, Classes, shape);
        return model.parameters().Any(p => p.dim() == 4 && p.shape[2] > 1);
    }

    static BenchCase Step(string name, string variant, InputShape shape, ModelOptions options, string precision, Tensor input, Tensor labels)
    {
        var model = Classifiers.Create(name, Classes, shape, options);
        ProductPrecision.Apply(precision, model);
        var optimiser = new AdamW(model.named_parameters());
        return new BenchCase(name, "train", variant, input.shape[0], "clips/s", () =>
        {
            using var scope = NewDisposeScope();
            model.train();
            nn.functional.binary_cross_entropy_with_logits(model.forward(input), labels).backward();
            optimiser.Step(1e-4, 5);
        });
    }
}
