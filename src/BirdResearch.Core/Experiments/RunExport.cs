using System.Diagnostics;
using BirdResearch.Data;
using BirdResearch.Export;
using BirdResearch.Export.Graph;
using BirdResearch.Inference;
using TorchSharp;

namespace BirdResearch.Experiments;

/// <summary>Writes a trained model as an ONNX file, once onnxruntime is known to give torch's logits.</summary>
public static class RunExport
{
    /// <summary>Largest difference of a logit that is let through, as a share of torch's largest logit over all windows.</summary>
    public const double Tolerance = 1e-4;

    /// <summary>Name of the file in the run's folder.</summary>
    public const string FileName = "model.onnx";

    const int SpeedRounds = 5;

    /// <summary>Exports, checks, and writes; a file that does not agree with torch is not written, and the error says by how much it is off.</summary>
    /// <param name="model">The run's model.</param>
    /// <param name="path">Where to; null for <see cref="FileName"/> in the run's folder. An existing file is replaced.</param>
    /// <param name="data">Recordings to compare on, or null.</param>
    public static ExportedRun Write(TrainedModel model, string? path = null, Dataset? data = null)
    {
        path ??= Path.Combine(model.Folder, FileName);
        var graph = OnnxExport.Graph(model.FrontEnd, model.Model, model.Card);
        var beside = $"{path}.unchecked";
        OnnxFile.Write(beside, graph, model.Card.ToMetadata());
        try
        {
            double worst, speed;
            var (invented, real) = (ExportWindows.Invented(model.Card), data is null ? [] : ExportWindows.Real(model, data));
            using (var exported = OnnxModel.Open(beside, torch.get_num_threads()))
            {
                worst = Worst(model, exported, [.. invented, .. real]);
                speed = Speed(model, exported, real.Count > 0 ? real : invented);
            }
            var bytes = new FileInfo(beside).Length;
            File.Move(beside, path, overwrite: true);
            return new ExportedRun(path, model.Card, bytes, graph.Nodes.Count, invented.Count, real.Count, worst, speed);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    /// <summary>
    /// The largest difference of a logit as a share of torch's largest over all windows, scored in batches of 1, 3 and 8; one above the tolerance
    /// is an error. (The largest of each batch would not do: a model may say next to nothing of silence.)
    /// </summary>
    static double Worst(IWindowClassifier torch, IWindowClassifier onnx, IReadOnlyList<ExportWindow> windows)
    {
        var (worst, where, largest, next) = (0.0, "", 1e-30, 0);
        foreach (var size in Sizes(windows.Count))
        {
            var batch = windows.Skip(next).Take(size).ToList();
            next += size;
            var (want, got) = (Logits(torch, batch), Logits(onnx, batch));
            var classes = want.Length / size;
            for (var i = 0; i < want.Length; i++)
            {
                largest = Math.Max(largest, Math.Abs(want[i]));
                var difference = float.IsFinite(want[i]) && float.IsFinite(got[i]) ? Math.Abs(want[i] - got[i]) : double.PositiveInfinity;
                if (difference > worst) (worst, where) = (difference, batch[i / classes].Name);
            }
        }
        worst /= largest;
        return worst <= Tolerance
            ? worst
            : throw new InvalidOperationException(
                $"{torch.Card.Name}: onnxruntime and torch differ by {worst:0.##e+0} of the largest logit, more than {Tolerance:0e+0}, on {where}. No file is written.");
    }

    /// <summary>1, 3 and 8 in turn until all windows are taken.</summary>
    static IEnumerable<int> Sizes(int count)
    {
        int[] sizes = [1, 3, 8];
        for (var i = 0; count > 0; i++)
        {
            var size = Math.Min(count, sizes[i % sizes.Length]);
            count -= size;
            yield return size;
        }
    }

    static double Speed(IWindowClassifier torch, IWindowClassifier onnx, IReadOnlyList<ExportWindow> windows)
    {
        var batch = windows.Take(8).ToList();
        double Seconds(IWindowClassifier classifier)
        {
            var watch = Stopwatch.StartNew();
            Logits(classifier, batch);
            return watch.Elapsed.TotalSeconds;
        }
        return Enumerable.Range(0, SpeedRounds).Select(_ => Seconds(torch) / Seconds(onnx)).Order().ElementAt(SpeedRounds / 2);
    }

    static float[] Logits(IWindowClassifier classifier, IReadOnlyList<ExportWindow> batch)
    {
        var logits = new float[batch.Count * classifier.Card.Classes.Count];
        classifier.Score(batch.SelectMany(w => w.Samples).ToArray(), batch.Count, logits);
        return logits;
    }
}
