using System.Runtime.InteropServices;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Models;
using BirdResearch.Training;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>
/// State-space models against EfficientNet-B4 on 5 s clips: a 128 x 320 mel spectrogram for the CNN, 128 x 512 filter bank and 256 patches
/// for SSAMBA, 80,000 samples for the models of raw sound. Beside them what bounds the models: the scan, the front-end, long sequences.
/// </summary>
static class SsmBench
{
    const int Classes = 182, MelBatch = 8, KernelCalls = 10;

    static readonly InputShape Mel = new(1, 128, 320), Fbank = new(1, 128, 512), Sound = new(1, 1, 80_000);
    static readonly long[] CurveTokens = [256, 1024, 4096, 16_384];

    /// <summary>The group; its tensors live in the current dispose scope.</summary>
    /// <param name="batch">Clips in one call.</param>
    /// <param name="longest">Most tokens of a sequence in the curve.</param>
    public static BenchGroup Create(int batch, long longest)
    {
        var cases = new List<BenchCase>();
        BenchCase Case(BenchCase one)
        {
            cases.Add(one);
            return one;
        }

        var (effTrain, effInfer) = Both(Case, batch, "tf_efficientnet_b4", Mel, [("channels-last", new ModelOptions(), "fp32"), ("contiguous", new ModelOptions { ChannelsLast = false }, "fp32")]);
        var (ssambaTrain, ssambaInfer) = Both(Case, batch, "ssamba_tiny_s16", Fbank, [("fp32", new ModelOptions(), "fp32"), ("bf16", new ModelOptions(), "bf16")]);
        var (rawTrain, _) = Both(Case, batch, "mamba_raw", Sound, [("fp32", new ModelOptions(), "fp32")]);
        var (sashimiTrain, _) = Both(Case, batch, "sashimi_mamba", Sound, [("fp32", new ModelOptions(), "fp32")]);

        var scan = new BareScan(4, 384, 512, 16);
        var forward = Kernel("scan forward", scan.Form, scan, scan.Forward, threads: 1);
        var backward = Kernel("scan backward", scan.Form, scan, scan.Backward, threads: 1);
        var ssambaScan = new BareScan(batch, 384, 257, 16);
        var bare = Kernel("scan of ssamba_tiny", "bare", ssambaScan, () =>
        {
            ssambaScan.Forward();
            ssambaScan.Backward();
        });
        var graph = Kernel("scan of ssamba_tiny", "through torch", ssambaScan, () => ssambaScan.ThroughTorch(reference: false));
        var reference = Case(new("scan of ssamba_tiny", "kernel", "reference", ssambaScan.Elements, "elements/s", () => ssambaScan.ThroughTorch(reference: true)) { MostRounds = 3 });

        // Within a model a scan finds its inputs in the cache; several calls in a row do so too.
        BenchCase Kernel(string subject, string variant, BareScan of, Action work, int? threads = null)
        {
            void Several()
            {
                for (var i = 0; i < KernelCalls; i++) work();
            }
            return Case(new(subject, "kernel", variant, KernelCalls * of.Elements, "elements/s", Several) { Threads = threads });
        }

        var (fused, plain) = FrontEndCases(Case);
        var (tokens, bytes, shorter, longer) = Lengths(Case);
        var curve = CurveTokens.Where(n => n <= longest).Select(n => Curve(Case, n)).ToList();

        IReadOnlyList<BenchGoal> Goals(BenchTimes times)
        {
            double Over(IReadOnlyList<BenchCase> ours, IReadOnlyList<BenchCase> theirs)
            {
                var (one, other) = (times.Fastest(ours), times.Fastest(theirs));
                return times.Ratio(other, one) * one.Units / other.Units;
            }
            string Name(IReadOnlyList<BenchCase> some) => $"{times.Fastest(some).Subject} {times.Fastest(some).Variant}";
            return
            [
                new($"{Name(ssambaTrain)}, training over {Name(effTrain)}", Over(ssambaTrain, effTrain), "x", 1.6, 2.5),
                new($"{Name(ssambaInfer)}, inference over {Name(effInfer)}", Over(ssambaInfer, effInfer), "x", 1.2, 2.0),
                new($"{Name(rawTrain)} (stride 16, 4 layers, d = 64), training over {Name(effTrain)}", Over(rawTrain, effTrain), "x", 2.5, 4),
                new($"{Name(sashimiTrain)} (5 s at 16 kHz, pooling 4 x 4), training over {Name(effTrain)}", Over(sashimiTrain, effTrain), "x", 0.5, 1),
                new("scan forward, one thread", times.Of(forward) / forward.Units * 1e9, "ns per token x channel x state", 0.21, null, true),
                new("scan backward, one thread", times.Of(backward) / backward.Units * 1e9, "ns per token x channel x state", 0.45, null, true),
                new("torch's graph around the bare scan, forward and backward", (times.Ratio(graph, bare) - 1) * 100, "%", 20, 10, true),
                new("fused scan over its reference form, forward and backward", times.Ratio(reference, graph) * KernelCalls, "x", 20),
                new("mel front-end over torch's stft", times.Ratio(plain, fused), "x", 12),
                new($"{tokens} to {10 * tokens} tokens, training, time", times.Ratio(longer, shorter), "x", 10.5, null, true),
                new($"{tokens} to {10 * tokens} tokens, memory kept for the way back", bytes(), "x", 10.5, null, true),
                .. CurveTokens.Zip(curve, (n, pair) => new BenchGoal($"ssamba_tiny over a ViT of its size, {n} tokens, inference", times.Ratio(pair.ViT, pair.Ssamba), "x", n >= 1024 ? 1 : null)),
            ];
        }

        return new BenchGroup("ssm", $"State-space models at a CNN's price, 5 s clips, batch {batch}, training step with AdamW", cases) { Goals = Goals };
    }

    /// <summary>A training and an inference case for every variant of a model.</summary>
    static (List<BenchCase> Train, List<BenchCase> Infer) Both(
        Func<BenchCase, BenchCase> add, int batch, string name, InputShape shape, (string Variant, ModelOptions Options, string Precision)[] variants)
    {
        var input = randn(batch, shape.Channels, shape.Rows, shape.Frames);
        var labels = (rand(batch, Classes) < 0.02).to(ScalarType.Float32);
        List<BenchCase> train = [], infer = [];
        foreach (var (variant, options, precision) in variants)
        {
            var model = Classifiers.Create(name, Classes, shape, options);
            ProductPrecision.Apply(precision, model);
            var optimiser = new AdamW(model.named_parameters());
            train.Add(add(new BenchCase(name, "train", variant, batch, "clips/s", () =>
            {
                using var scope = NewDisposeScope();
                model.train();
                nn.functional.binary_cross_entropy_with_logits(model.forward(input), labels).backward();
                optimiser.Step(1e-4, 5);
            })));
            infer.Add(add(new BenchCase(name, "infer", variant, batch, "clips/s", () => Infer(model, input))));
        }
        return (train, infer);
    }

    static (BenchCase Fused, BenchCase Plain) FrontEndCases(Func<BenchCase, BenchCase> add)
    {
        var settings = FrontEnds.Named("mel");
        var samples = randn(MelBatch, (long)(5 * settings.SampleRate));
        var (fused, plain) = (FrontEnds.Create(settings), new PlainMel(settings));
        BenchCase Case(string variant, Func<Tensor> features) => add(new BenchCase("mel", "front-end", variant, MelBatch, "clips/s", () =>
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            features();
        }));
        return (Case("fused", () => fused.forward(samples)), Case("torch stft", () => plain.Features(samples)));
    }

    /// <summary>One training step of a bidirectional mixer over a sequence and over one ten times as long, and how much more memory it keeps.</summary>
    static (long Tokens, Func<double> Memory, BenchCase Shorter, BenchCase Longer) Lengths(Func<BenchCase, BenchCase> add)
    {
        const long Tokens = 2000, Width = 192;
        var mixer = new VimMixer(new MambaSettings { Width = Width });
        Tensor shorter = randn(1, Tokens, Width), longer = randn(1, 10 * Tokens, Width);
        BenchCase Case(Tensor x) => add(new BenchCase("vim mixer, width 192", "length", $"{x.shape[1]} tokens", x.shape[1], "tokens/s", () =>
        {
            using var scope = NewDisposeScope();
            mixer.forward(x).sum().backward();
        }));
        return (Tokens, () => Kept(mixer, longer) / Kept(mixer, shorter), Case(shorter), Case(longer));
    }

    static double Kept(VimMixer mixer, Tensor x)
    {
        using var scope = NewDisposeScope();
        Memory.Trim();
        var before = Memory.Resident;
        var y = mixer.forward(x);
        var kept = Memory.Resident - before;
        GC.KeepAlive(y);
        return kept;
    }

    static (BenchCase Ssamba, BenchCase ViT) Curve(Func<BenchCase, BenchCase> add, long tokens)
    {
        var shape = new InputShape(1, 128, 2 * tokens);
        var input = randn(1, shape.Channels, shape.Rows, shape.Frames);
        BenchCase Case(nn.Module<Tensor, Tensor> model, string name) =>
            add(new BenchCase(name, "curve", $"{tokens} tokens", tokens, "tokens/s", () => Infer(model, input)) { MostRounds = tokens > 4096 ? 2 : int.MaxValue });
        return (Case(Classifiers.Create("ssamba_tiny_s16", Classes, shape), "ssamba_tiny_s16"), Case(new ViTProbe(shape, Classes), "ViT"));
    }

    static void Infer(nn.Module<Tensor, Tensor> model, Tensor input)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        model.eval();
        model.forward(input);
    }

    /// <summary>Memory of this process.</summary>
    static class Memory
    {
        [DllImport("libc", EntryPoint = "malloc_trim")]
        static extern int TrimHeap(nuint keep);

        public static double Resident => Environment.WorkingSet;

        /// <summary>Gives back what is free, so that what is taken next shows.</summary>
        public static void Trim()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            if (OperatingSystem.IsLinux()) _ = TrimHeap(0);
        }
    }
}
