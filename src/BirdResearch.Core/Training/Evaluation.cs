using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Metrics;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>What a model says about clips: scores, mean loss and speed.</summary>
/// <param name="Scores">One row per clip; windows of a recording are averaged.</param>
/// <param name="Loss">Mean loss over windows.</param>
/// <param name="Windows">Windows that were scored.</param>
/// <param name="Seconds">Time it took, decoding included.</param>
public sealed record Evaluation(Scores Scores, double Loss, int Windows, double Seconds)
{
    /// <summary>Scores clips in evaluation mode, without gradient and without any randomness.</summary>
    public static Evaluation Of(
        FrontEnd frontEnd, Classifier model, Loss loss, WindowReader reader, IReadOnlyList<string> classes, IReadOnlyList<Clip> clips,
        string domain, int batchSize, int maxWindows, Action<int>? windowsDone = null, CancellationToken cancellation = default) =>
        Of(frontEnd, model, loss, classes, clips, domain, windowsDone,
            () => ClipBatches.Evaluation(reader, clips, classes, batchSize, maxWindows, cancellation: cancellation));

    /// <summary>The same for windows that are batched in a way of their own.</summary>
    internal static Evaluation Of(
        FrontEnd frontEnd, Classifier model, Loss loss, IReadOnlyList<string> classes, IReadOnlyList<Clip> clips, string domain,
        Action<int>? windowsDone, Func<IEnumerable<ClipBatch>> batches)
    {
        // Bands are matched where a front-end does that: what is held out of the training's domain is treated as it.
        Func<Tensor, Tensor> features = domain is "train" or "focal" ? sound => frontEnd.OfTraining(sound) : frontEnd.forward;
        if (clips.Count == 0) throw new ArgumentException($"There is no {domain} clip to score.");
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var column = classes.Select((name, index) => (name, index)).ToDictionary(c => c.name, c => c.index);
        var row = clips.Select((clip, index) => (clip.Id, index)).ToDictionary(c => c.Id, c => c.index);
        var truth = new bool[clips.Count * classes.Count];
        foreach (var clip in clips)
            foreach (var label in clip.Labels)
                if (column.TryGetValue(label, out var c)) truth[(row[clip.Id] * classes.Count) + c] = true;

        var sums = new double[truth.Length];
        var counts = new int[clips.Count];
        var (total, windows) = (0.0, 0);
        var wasTraining = model.training;
        model.eval();
        try
        {
            using var noGradient = no_grad();
            foreach (var batch in batches())
            {
                using var scope = NewDisposeScope();
                var samples = tensor(batch.Samples, [batch.Count, batch.WindowSamples]);      // (B, T)
                var logits = model.forward(features(samples));                          // (B, C)
                total += loss.Of(logits, tensor(batch.Labels, [batch.Count, classes.Count])).item<float>() * batch.Count;
                var scores = loss.Scores(logits).to(ScalarType.Float64).cpu().data<double>().ToArray();
                for (var i = 0; i < batch.Count; i++)
                {
                    var r = row[batch.Ids[i]];
                    counts[r]++;
                    for (var c = 0; c < classes.Count; c++) sums[(r * classes.Count) + c] += scores[(i * classes.Count) + c];
                }
                windows += batch.Count;
                windowsDone?.Invoke(windows);
            }
        }
        finally
        {
            model.train(wasTraining);
        }
        for (var i = 0; i < sums.Length; i++) sums[i] /= Math.Max(1, counts[i / classes.Count]);
        return new Evaluation(
            new Scores(domain, [.. clips.Select(c => c.Id)], classes, truth, sums), total / Math.Max(1, windows), windows, watch.Elapsed.TotalSeconds);
    }
}
