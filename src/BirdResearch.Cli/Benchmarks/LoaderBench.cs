using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>
/// How long a training step stands still for its data: epochs over compressed recordings (the pack <c>birds</c> where it is there, else
/// synthetic birds), with nothing read before (cold), with decoded sound on disk, and with it in memory, beside the same steps on one batch
/// that is ready. And what reading a window costs on one thread in each of these states.
/// </summary>
static class LoaderBench
{
    const int MostClips = 96, Rounds = 3;
    const double Seconds = 5;

    /// <summary>The group; its tensors live in the current dispose scope, its files in <paramref name="folder"/>.</summary>
    public static BenchGroup Create(int batch, string model, string folder)
    {
        batch = Math.Max(2, batch);
        var data = Recordings(folder);
        var count = Math.Min(MostClips, data.Focal.Count);
        Clip[] clips = [.. Enumerable.Range(0, count).Select(i => data.Focal[(int)((long)i * data.Focal.Count / count)])];
        var entry = Classifiers.Named(model);
        var frontEnd = FrontEnds.Create(entry.FrontEnd);
        var classifier = Classifiers.Create(model, data.Classes.Count, TrialRunner.ShapeOf(frontEnd, Seconds));
        var optimiser = new AdamW(classifier.named_parameters());
        var waits = new Dictionary<string, List<double>>();
        var number = 0;

        WindowReader Reader(long memory, string? cache) =>
            new(data, frontEnd.SampleRate, Seconds, memory, disk: cache is null ? null : new DiskCache(Path.Combine(folder, cache)));

        void Step(ClipBatch one)
        {
            using var scope = NewDisposeScope();
            Tensor features;
            using (no_grad()) features = frontEnd.forward(tensor(one.Samples, [one.Count, one.WindowSamples]));
            classifier.train();
            nn.functional.binary_cross_entropy_with_logits(classifier.forward(features), tensor(one.Labels, [one.Count, data.Classes.Count])).backward();
            optimiser.Step(1e-4, 5);
        }

        IEnumerable<ClipBatch> Batches(WindowReader reader) => ClipBatches.Training(reader, clips, data.Classes, batch, 1, number++);

        BenchCase Epoch(string variant, Func<WindowReader> reader) => new(model, "epoch", variant, clips.Length, "clips/s", () =>
        {
            var (waited, watch) = (TimeSpan.Zero, System.Diagnostics.Stopwatch.StartNew());
            foreach (var one in Batches(reader()))
            {
                using var lent = one;
                waited += one.Waited;
                Step(one);
            }
            if (!waits.TryGetValue(variant, out var list)) waits[variant] = list = [];
            list.Add(100 * (waited / watch.Elapsed));
        })
        { MostRounds = Rounds };

        BenchCase Reading(string variant, Func<WindowReader> reader) => new("window", "read", variant, clips.Length, "windows/s", () =>
        {
            var from = reader();
            var window = new float[from.WindowSamples];
            foreach (var clip in clips)
                from.Read(clip, new SampleKey(1, number, clip.Id).RandomFor("window").NextLong(Math.Max(1, from.LengthOf(clip) - from.WindowSamples + 1)), window);
            number++;
        })
        { Threads = 1 };

        var all = Reader(1L << 40, null);
        var steps = ClipBatches.PerEpoch(clips.Length, batch);
        foreach (var clip in clips) all.Read(clip);
        foreach (var clip in clips) Keep(clip);
        var ready = Batches(all).First();

        // Every piece goes to the disk, so that what is read later is there.
        void Keep(Clip clip)
        {
            var keeping = Reader(0, "kept");
            for (var at = 0L; at == 0 || at + keeping.WindowSamples <= keeping.LengthOf(clip); at += keeping.WindowSamples)
                keeping.Read(clip, at, new float[keeping.WindowSamples]);
        }

        var alone = new BenchCase(model, "epoch", "steps alone", clips.Length, "clips/s", () =>
        {
            for (var i = 0; i < steps; i++) Step(ready);
        })
        { MostRounds = Rounds };
        var cold = Epoch("cold", () => Reader(1L << 30, $"cold {number}"));
        var disk = Epoch("from disk", () => Reader(0, "kept"));
        var memory = Epoch("from memory", () => all);
        var features = new BenchCase(entry.FrontEnd, "epoch", "features alone", clips.Length, "clips/s", () =>
        {
            for (var i = 0; i < steps; i++)
            {
                using var scope = NewDisposeScope();
                using var noGradient = no_grad();
                frontEnd.forward(tensor(ready.Samples, [ready.Count, ready.WindowSamples]));
            }
        })
        { MostRounds = Rounds };
        var decoding = Reading("decoded", () => Reader(0, null));
        var keeping = Reading("decoded and kept", () => Reader(0, $"read {number}"));
        var kept = Reading("disk", () => Reader(0, "kept"));
        var held = Reading("memory", () => all);

        IReadOnlyList<BenchGoal> Goals(BenchTimes times)
        {
            BenchGoal Waiting(string variant) =>
                new($"{model}, waiting for data, {variant}", Middle(waits[variant].TakeLast(Rounds)), "% of a step", 5, 1, true);
            return
            [
                Waiting("cold"), Waiting("from disk"), Waiting("from memory"),
                new($"{model}, epoch over steps alone, cold", times.Ratio(cold, alone), "x"),
                new($"{model}, epoch over steps alone, from disk", times.Ratio(disk, alone), "x"),
                new($"{model}, epoch over steps alone, from memory", times.Ratio(memory, alone), "x"),
                new($"{entry.FrontEnd} features in a step", 100 * times.Ratio(features, alone), "% of a step"),
                new("a window from disk over one that is decoded", times.Ratio(decoding, kept), "x", 5),
            ];
        }

        return new BenchGroup(
            "loader", $"Training from {data.Name}, {clips.Length} recordings, batch {batch}; reading windows of 5 s at {frontEnd.SampleRate / 1000.0:0.#} kHz on one thread",
            [alone, cold, disk, memory, features, decoding, keeping, kept, held])
        { Goals = Goals };
    }

    static Dataset Recordings(string folder)
    {
        if (Folders.Recordings is { } shelf && Directory.Exists(Path.Combine(shelf, "birds"))) return Datasets.Open(Path.Combine(shelf, "birds"));
        var made = Path.Combine(folder, "synthetic-birds");
        SyntheticBirds.Write(made, new SyntheticBirdsSettings { Soundscapes = 0, UnlabelledSoundscapes = 0 });
        return Datasets.Open(made);
    }

    static double Middle(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
