using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>
/// Expand-and-sparsify, sparse against dense: the projection of a mel series, the rules that make the code sparse, and a code as the cells that
/// are not zero against the same code written out, in the layer that reads it and in a whole training step.
/// </summary>
static class SparseBench
{
    const int Classes = 182;
    const double Seconds = 5;

    static readonly FrontEndSettings Wide = FrontEnds.Named("expand-and-sparsify");

    /// <summary>The group; its tensors live in the current dispose scope.</summary>
    /// <param name="batch">Clips in one call.</param>
    public static BenchGroup Create(int batch)
    {
        var cases = new List<BenchCase>();
        var ratios = new List<(string What, BenchCase Slow, BenchCase Fast)>();
        var sound = tensor(Noise(batch * (int)(Seconds * Wide.SampleRate))).reshape(batch, -1);                       // (B, T)
        BenchCase Case(string subject, string phase, string variant, Action work)
        {
            var one = new BenchCase(subject, phase, variant, batch, "clips/s", () =>
            {
                using var scope = NewDisposeScope();
                work();
            });
            cases.Add(one);
            return one;
        }
        BenchCase Quietly(string subject, string phase, string variant, Action work) => Case(subject, phase, variant, () =>
        {
            using var noGradient = no_grad();
            work();
        });

        using var mel = FrontEnds.Create(Wide with { Kind = "mel" });
        var series = mel.forward(sound).squeeze(1);                                                                    // (B, mels, F)
        foreach (var units in new[] { 512, 2048 })
        {
            var sparse = Made(new() { Outputs = units, Projection = Projection.SparseBinary }, sound);
            var dense = Made(new() { Outputs = units }, sound);
            var subject = $"128 mels x 8 to {units} units";
            var slow = Quietly(subject, "projection", "dense Gaussian", () => dense.Activations(series));
            var written = Quietly(subject, "projection", "sparse, written out", () => sparse.Reference(series));
            var fast = Quietly(subject, "projection", "sparse, summed", () => sparse.Activations(series));
            ratios.Add(($"sparse binary projection, {subject}, over the dense Gaussian one", slow, fast));
            ratios.Add(($"sparse binary projection, {subject}, over its own kernel written out", written, fast));
        }
        foreach (var (rule, variant) in new[] { (SparsityRule.PerStep, "winners of a step"), (SparsityRule.PerClip, "winners of a clip"), (SparsityRule.Threshold, "thresholds") })
        {
            var whole = Made(new() { Rule = rule }, sound);
            Quietly("front-end, 512 units", "rule", variant, () => whole.forward(sound));
            var few = Made(new() { Rule = rule, Projection = Projection.SparseBinary, Patch = PatchScaling.Centred }, sound);
            Quietly("front-end, 512 units, sparse projection", "rule", variant, () => few.forward(sound));
        }
        foreach (var (units, k) in new[] { (512, 32), (512, 64), (2048, 32), (2048, 128) })
        {
            var code = Made(new() { Outputs = units, K = k }, sound).forward(sound);                                   // (B, 1, n_output, T')
            NextLayer(units, k, code.squeeze(1));
            Step(units, k, code);
        }

        void NextLayer(int units, int k, Tensor code)
        {
            var weight = randn(64, units, 7).requires_grad_();
            var subject = $"7 x {units} to 64, k = {k}";
            var cells = SparseSeries.Of(code, 1)!;
            void Both(Func<Tensor> layer)
            {
                layer().sum().backward();
                weight.grad = null;
            }
            var dense = Case(subject, "next layer", "dense", () => Both(() => SparseConvolution.Reference(code, weight, 2, 3)));
            var found = Case(subject, "next layer", "cells found", () => Both(() => SparseConvolution.Try(code, weight, 2, 3)!));
            var known = Case(subject, "next layer", "cells known", () => Both(() => SparseConvolution.Apply(cells, weight, 2, 3)));
            ratios.Add(($"first convolution {subject}, forward and backward, cells over dense", dense, found));
            ratios.Add(($"the same, cells that need not be searched for, over dense", dense, known));
        }

        void Step(int units, int k, Tensor code)
        {
            var labels = (rand(batch, Classes) < 0.02).to(ScalarType.Float32);
            var model = Classifiers.Create("tsresnet18", Classes, new InputShape(1, units, code.shape[3]));
            var optimiser = new AdamW(model.named_parameters());
            void Train()
            {
                model.train();
                nn.functional.binary_cross_entropy_with_logits(model.forward(code), labels).backward();
                optimiser.Step(1e-4, 5);
            }
            var subject = $"tsresnet18 on {units}, k = {k}";
            var fast = Case(subject, "train", "cells", Train);
            var slow = Case(subject, "train", "dense", () =>
            {
                Environment.SetEnvironmentVariable(ScanForms.Variable, "reference");
                Train();
                Environment.SetEnvironmentVariable(ScanForms.Variable, null);
            });
            ratios.Add(($"training step, {subject}, cells over dense", slow, fast));
        }

        return new BenchGroup("sparse", $"Expand-and-sparsify, sparse against dense, 5 s clips, batch {batch}", cases)
        {
            Goals = times => [.. ratios.Select(r => new BenchGoal(r.What, times.Ratio(r.Slow, r.Fast), "x"))],
        };
    }

    static ExpandAndSparsify Made(ExpansionSettings expansion, Tensor sound)
    {
        var frontEnd = new ExpandAndSparsify(Wide with { Expansion = expansion });
        frontEnd.Fit([sound]);
        return frontEnd;
    }

    static float[] Noise(int count)
    {
        var random = new CounterRandom(1, count);
        var noise = new float[count];
        for (var i = 0; i < count; i++) noise[i] = (float)((0.3 * Math.Sin(0.6 * i)) + (0.1 * (random.NextDouble() - 0.5)));
        return noise;
    }
}
