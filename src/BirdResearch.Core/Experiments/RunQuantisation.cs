using System.Diagnostics;
using BirdResearch.Data;
using BirdResearch.Export;
using BirdResearch.Export.Graph;
using BirdResearch.Inference;
using BirdResearch.Metrics;
using TorchSharp;

namespace BirdResearch.Experiments;

/// <summary>Writes a trained model as an ONNX file in 8-bit integers, once it is known what that gains and loses.</summary>
public static class RunQuantisation
{
    /// <summary>Name of the file in the run's folder.</summary>
    public const string FileName = "model.int8.onnx";

    const int Batch = 8, MostCalibration = 96, SpeedRounds = 9;

    /// <summary>Quantises, measures on the recordings that the run held out, and writes where it pays.</summary>
    /// <param name="model">The run's model.</param>
    /// <param name="data">The data set that it was trained on: its training recordings give the ranges, those held out the loss.</param>
    /// <param name="path">Where to; null for <see cref="FileName"/> in the run's folder. An existing file is replaced.</param>
    /// <param name="always">Writes it even where it does not pay.</param>
    /// <param name="cancellation">Ends the work with an <see cref="OperationCanceledException"/>.</param>
    public static QuantisedRun Write(TrainedModel model, Dataset data, string? path = null, bool always = false, CancellationToken cancellation = default)
    {
        path ??= Path.Combine(model.Folder, FileName);
        if (data.Classes.Intersect(model.Card.Classes).Count() < model.Card.Classes.Count)
            throw new InvalidDataException($"{data.Name} lacks classes of {model.Card.Name}, so it cannot say what int8 loses. Take the data set that the run was trained on.");
        var split = Splits.Of(data, model.Record.Trial.Fold);
        if (split.Validation.Count == 0) throw new InvalidDataException($"{data.Name} has no held-out recording for fold {split.Fold}, so what int8 loses cannot be measured.");
        var graph = OnnxExport.Graph(model.FrontEnd, model.Model, model.Card, out var features);
        var quantisation = new Quantisation(graph, features);
        if (quantisation.Convolutions == 0)
            throw new InvalidOperationException(
                $"{model.Card.Model} has no convolution that int8 would make faster. No file is written.");

        var reader = new WindowReader(data, model.Card.SampleRate, model.Card.Seconds);
        var calibration = Calibration(split.Train);
        var ranges = quantisation.Measure(Batches(), torch.get_num_threads());

        var (single, integer) = ($"{path}.float32.unchecked", $"{path}.unchecked");
        try
        {
            var card = model.Card with { Quantised = ModelCard.Int8 };
            OnnxFile.Write(single, graph, model.Card.ToMetadata());
            OnnxFile.Write(integer, quantisation.Graph(ranges), card.ToMetadata());
            QuantisedRun run;
            using (var before = OnnxModel.Open(single, torch.get_num_threads()))
            using (var after = OnnxModel.Open(integer, torch.get_num_threads()))
            {
                var windows = model.Record.Trial.Training.EvaluationWindows;
                var (was, now) = Measured(before, after, reader, split.Validation, windows, cancellation);
                run = new QuantisedRun(
                    path, false, quantisation.Convolutions, calibration.Count, split.Validation.Count, was with { Bytes = new FileInfo(single).Length },
                    now with { Bytes = new FileInfo(integer).Length }, Speed(before, after, reader, split.Validation));
            }
            if (run.Drawback is not null && !always) return run;
            File.Move(integer, path, overwrite: true);
            return run with { IsWritten = true };
        }
        finally
        {
            File.Delete(single);
            File.Delete(integer);
        }

        IEnumerable<(ReadOnlyMemory<float>, long[])> Batches() =>
            ClipBatches.Evaluation(reader, calibration, model.Card.Classes, Batch, 1, cancellation: cancellation)
                .Select(b => ((ReadOnlyMemory<float>)b.Samples.AsMemory(0, b.Count * b.WindowSamples), new long[] { b.Count, b.WindowSamples }));
    }

    /// <summary>Training recordings, evenly over the list.</summary>
    static IReadOnlyList<Clip> Calibration(IReadOnlyList<Clip> clips)
    {
        var count = Math.Min(MostCalibration, clips.Count);
        return [.. Enumerable.Range(0, count).Select(i => clips[(int)((long)i * clips.Count / count)])];
    }

    /// <summary>Both forms on the same windows; a recording's score is the mean over its windows, as after training.</summary>
    static (MeasuredFile Was, MeasuredFile Now) Measured(
        OnnxModel before, OnnxModel after, WindowReader reader, IReadOnlyList<Clip> clips, int windows, CancellationToken cancellation)
    {
        var classes = before.Card.Classes;
        var row = clips.Select((clip, index) => (clip.Id, index)).ToDictionary(c => c.Id, c => c.index);
        var column = classes.Select((name, index) => (name, index)).ToDictionary(c => c.name, c => c.index);
        var truth = new bool[clips.Count * classes.Count];
        foreach (var clip in clips)
            foreach (var label in clip.Labels)
                if (column.TryGetValue(label, out var c)) truth[(row[clip.Id] * classes.Count) + c] = true;

        var counts = new int[clips.Count];
        var sums = new[] { new double[truth.Length], new double[truth.Length] };
        foreach (var batch in ClipBatches.Evaluation(reader, clips, classes, Batch, windows, cancellation: cancellation))
        {
            foreach (var id in batch.Ids.Take(batch.Count)) counts[row[id]]++;
            foreach (var (form, sum) in new[] { before, after }.Zip(sums))
            {
                var scores = new float[batch.Count * classes.Count];
                form.Score(batch.Samples.AsMemory(0, batch.Count * batch.WindowSamples), batch.Count, scores);
                for (var i = 0; i < batch.Count; i++)
                {
                    var probabilities = scores.AsSpan(i * classes.Count, classes.Count);
                    form.Card.Scores.ToProbabilities(probabilities);
                    for (var c = 0; c < classes.Count; c++) sum[(row[batch.Ids[i]] * classes.Count) + c] += probabilities[c];
                }
            }
        }
        var files = sums.Select(sum =>
        {
            for (var i = 0; i < sum.Length; i++) sum[i] /= Math.Max(1, counts[i / classes.Count]);
            var scores = new Scores("focal", [.. clips.Select(c => c.Id)], classes, truth, sum);
            return new MeasuredFile(Ranking.MeanAveragePrecision(scores), Ranking.MacroRocAucOfMixedClasses(scores), 0);
        }).ToArray();
        return (files[0], files[1]);
    }

    /// <summary>The median, over rounds in which each scores the same windows once, of the ratio of their times.</summary>
    static double Speed(OnnxModel before, OnnxModel after, WindowReader reader, IReadOnlyList<Clip> clips)
    {
        var samples = clips.Take(Batch).SelectMany(c => reader.Read(c)).ToArray();
        var count = samples.Length / before.Card.WindowSamples;
        var logits = new float[count * before.Card.Classes.Count];
        double Seconds(OnnxModel model)
        {
            var watch = Stopwatch.StartNew();
            model.Score(samples, count, logits);
            return watch.Elapsed.TotalSeconds;
        }
        return Enumerable.Range(0, SpeedRounds).Select(_ => Seconds(before) / Seconds(after)).Order().ElementAt(SpeedRounds / 2);
    }
}
