using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Export;
using BirdResearch.Export.Graph;
using BirdResearch.Features;
using BirdResearch.Inference;
using BirdResearch.Models;
using BirdResearch.Reference;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>
/// Inference in onnxruntime against torch, from the same features and from the same sound, on as many threads; and how far their logits are apart
/// with weights drawn by the fill rule.
/// </summary>
static class OnnxBench
{
    const int Classes = 182;
    const double Seconds = 5;

    static readonly string[] Own = ["tf_efficientnet_b0", "resnet18", "tsresnet34"];

    /// <summary>The group; its tensors live in the current dispose scope, its sessions as long as the process.</summary>
    /// <param name="batch">Clips in one call.</param>
    /// <param name="models">Models to time; empty for three of the image models.</param>
    /// <param name="against">ONNX files that take the same features, timed beside each model.</param>
    public static BenchGroup Create(int batch, IReadOnlyList<string> models, IReadOnlyList<string> against)
    {
        var cases = new List<BenchCase>();
        var goals = new List<Func<BenchTimes, BenchGoal>>();
        foreach (var name in models.Count > 0 ? models : Own)
        {
            var frontEnd = FrontEnds.Create(Classifiers.Named(name).FrontEnd);
            var model = Classifiers.Create(name, Classes, TrialRunner.ShapeOf(frontEnd, Seconds));
            model.eval();
            frontEnd.eval();
            var sound = tensor(Noise(batch * (int)(Seconds * frontEnd.SampleRate))).reshape(batch, -1);         // (B, T)
            var features = Quietly(() => frontEnd.forward(sound));                                             // (B, 1, M, F)
            FillWeights(model, features);
            Compare(name, "features", features, x => model.forward(x), OnnxExport.Graph(model));
            Compare(name, "sound", sound, x => model.forward(frontEnd.forward(x)), OnnxExport.Graph(frontEnd, model, CardOf(name, frontEnd)));
        }
        return new BenchGroup("onnx", $"Inference in onnxruntime against torch, 5 s clips, batch {batch}, {get_num_threads()} threads", cases)
        {
            Goals = times => [.. goals.Select(g => g(times))],
        };

        void Compare(string name, string from, Tensor input, Func<Tensor, Tensor> forward, OnnxGraph graph)
        {
            var session = new OnnxSession(OnnxFile.Bytes(graph, new Dictionary<string, string>()), get_num_threads());
            var (values, shape) = (input.data<float>().ToArray(), input.shape);
            var (want, got) = (Quietly(() => forward(input)).data<float>().ToArray(), session.Run(values, shape));
            var apart = want.Zip(got, (a, b) => Math.Abs(a - b)).Max() / want.Max(Math.Abs);
            var inTorch = Case("torch", () => Quietly(() => forward(input)).Dispose());
            var inOnnx = Case("onnxruntime", () => session.Run(values, shape));
            goals.Add(times => new BenchGoal($"{name} from {from}, onnxruntime over torch", times.Ratio(inTorch, inOnnx), "x"));
            foreach (var file in from == "features" ? against : [])
            {
                var other = new OnnxSession(File.ReadAllBytes(file), get_num_threads());
                var theirs = Case(Path.GetFileName(file), () => other.Run(values, shape));
                goals.Add(times => new BenchGoal($"{name} from {from}, ours over {theirs.Variant}", times.Ratio(theirs, inOnnx), "x"));
            }
            goals.Add(_ => new BenchGoal(
                $"{name} from {from}, logits apart, largest {want.Max(Math.Abs):0.#}", 1e6 * apart, "ppm", Reach: 1e6 * RunExport.Tolerance, LowerIsBetter: true));

            BenchCase Case(string variant, Action work)
            {
                var one = new BenchCase(name, from, variant, batch, "clips/s", work);
                cases.Add(one);
                return one;
            }
        }
    }

    static Tensor Quietly(Func<Tensor> work)
    {
        using var off = no_grad();
        using var scope = NewDisposeScope();
        return work().contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Weights by the fill rule, with the largest gain that keeps logits below 100: a network whose values grow from layer to layer makes more of
    /// every rounding, until no two ways to reckon it agree.
    /// </summary>
    static void FillWeights(Classifier model, Tensor features)
    {
        using var off = no_grad();
        foreach (var gain in new[] { 8, 6, 4.5, 3, 1.5 })
        {
            using var scope = NewDisposeScope();
            foreach (var (key, value) in StateDictionary.Of(model))
                if (Fill.Parameter(key, value.shape, g4: gain) is { } values) value.copy_(tensor(values).reshape(value.shape));
            if (model.forward(features).data<float>().ToArray().Max(Math.Abs) < 100) return;
        }
    }

    static ModelCard CardOf(string name, FrontEnd frontEnd) => new()
    {
        Name = name,
        Model = name,
        FrontEnd = frontEnd.GetName(),
        Run = "untrained",
        SampleRate = frontEnd.SampleRate,
        Seconds = Seconds,
        Classes = [.. Enumerable.Range(0, Classes).Select(c => $"class{c}")],
        Scores = ScoreRule.Sigmoid,
        Prior = [.. Enumerable.Repeat(0.0, Classes)],
        Preprocessing = "{}",
    };

    static float[] Noise(int count)
    {
        var random = new CounterRandom(1, count);
        return [.. Enumerable.Range(0, count).Select(i => (float)((0.3 * Math.Sin(0.6 * i)) + (0.2 * (random.NextDouble() - 0.5))))];
    }
}
