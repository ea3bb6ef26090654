using BirdResearch.Data;
using BirdResearch.Features;
using static TorchSharp.torch;

namespace BirdResearch.Cli.Benchmarks;

/// <summary>What each augmentation costs on one thread: windows of 5 s at 32 kHz, all of them changed.</summary>
static class AugmentationBench
{
    const int Rate = 32_000, Windows = 24, Wanted = 150;

    /// <summary>The cases, one for each of the catalogue.</summary>
    public static BenchGroup Create()
    {
        var length = 5 * Rate;
        var sound = new float[Windows * length];
        var random = new CounterRandom(1, 2);
        for (var i = 0; i < sound.Length; i++) sound[i] = (float)(0.2 * Math.Sin(2 * Math.PI * 3000 * i / Rate) + 0.1 * (random.NextDouble() - 0.5));
        SampleKey[] keys = [.. Enumerable.Range(0, Windows).Select(w => new SampleKey(1, 0, $"window {w}"))];
        var batch = tensor(sound, [Windows, length]);                                             // (B, T)
        var labels = eye(Windows);                                                                // (B, C)
        using var frontEnd = FrontEnds.Create("mel");
        Tensor features;
        using (no_grad()) features = frontEnd.forward(batch);                                     // (B, 1, M, F)

        var cases = Augmentations.All.Select(entry =>
        {
            var augmenter = new Augmenter(entry.Alone(1), Rate, backgrounds: new Loop(sound));
            var work = new float[length];
            void OnWindows()
            {
                for (var w = 0; w < Windows; w++)
                {
                    sound.AsSpan(w * length, length).CopyTo(work);
                    augmenter.OnWindow(keys[w], work);
                }
            }

            void OnBatch()
            {
                using var scope = NewDisposeScope();
                augmenter.OnBatch(new LabelledSound(batch, labels, keys));
            }

            void OnFeatures()
            {
                using var scope = NewDisposeScope();
                augmenter.OnFeatures(features, keys);
            }

            Action action = entry.Stage switch { AugmentationStage.Window => OnWindows, AugmentationStage.Batch => OnBatch, _ => OnFeatures };
            return new BenchCase(entry.Name, "op", entry.Stage.ToString().ToLowerInvariant(), Windows, "windows/s", action) { Threads = 1 };
        }).ToList();
        return new BenchGroup("augmentation", "Augmentations, one thread, windows of 5 s at 32 kHz, all changed", cases)
        {
            Goals = times => [.. cases.Select(c => new BenchGoal(c.Subject, c.Units / times.Of(c), "windows/s", Wanted))],
        };
    }

    /// <summary>Backgrounds that cost no decoding.</summary>
    sealed class Loop(float[] sound) : IBackgroundSounds
    {
        public void Read(CounterRandom random, string clip, Span<float> window) =>
            sound.AsSpan(random.NextInt(sound.Length - window.Length), window.Length).CopyTo(window);
    }
}
