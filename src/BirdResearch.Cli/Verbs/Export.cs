using System.CommandLine;
using System.Globalization;
using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Export.Graph;
using BirdResearch.Inference;
using TorchSharp;

namespace BirdResearch.Cli.Verbs;

/// <summary><c>bird export RUN</c>: a trained model as an ONNX file that can be used alone.</summary>
public static class Export
{
    /// <summary>The verb.</summary>
    public static Command Create()
    {
        var run = new Argument<string>("RUN") { Description = "A finished run: its folder, its name, or a part of its name that no other run has" };
        var to = new Option<string?>("--out") { Description = $"The file (default: {RunExport.FileName} in the run's folder)" };
        var data = new Option<string?>("--check-data") { Description = "Compare on recordings of this data set, or none (default: the one it was trained on, where it is at hand)" };
        var threads = new Option<int?>("--threads") { Description = "Threads for torch and onnxruntime (default: all cores)" };
        var quantise = new Option<string?>("--quantise") { Description = $"int8: convolutions in 8-bit integers, written as {RunQuantisation.FileName} where that pays" };
        var force = new Option<bool>("--force") { Description = "With --quantise: write the file even where it does not pay" };
        return new Command("export",
            $"""
            Writes a trained model as one ONNX file: raw samples in, logits out, any number of windows at once, with the front-end inside and
            sample rate, seconds, classes and the run's name in the metadata.

            The file is written only if onnxruntime gives torch's logits, to {RunExport.Tolerance:0e+0} of the largest, on noise, tones, clicks and
            silence and on real recordings where the data set is at hand.

            With --quantise int8 the ranges of 8-bit maps come from training recordings, and float32 and int8 are compared on the recordings that
            the run held out. The file is written only if it is {Text(QuantisedRun.LeastSpeed, "0.0")} times as fast and loses no more than {Text(QuantisedRun.LargestLoss, "0.00")} of mAP.

            Examples:
              bird export tf_efficientnet_b0.mel.birds.f0
              bird export results/models/tsresnet18.mel.birds.f1.s1-8ff5620fa3 --out tsresnet18.onnx
              bird export resnet18_w32.mel.birds.f0 --quantise int8
            """)
        { run, to, data, quantise, force, threads }.Does((p, cancellation) =>
        {
            if (p.GetValue(threads) is { } count)
            {
                if (count is < 1 or > 1024) throw new ArgumentException($"--threads is {count}; it must be between 1 and 1024.");
                torch.set_num_threads(count);
            }
            if (p.GetValue(quantise) is not (null or ModelCard.Int8))
                throw new ArgumentException($"--quantise is '{p.GetValue(quantise)}'; the one form that pays is {ModelCard.Int8}.");
            if (p.GetValue(force) && p.GetValue(quantise) is null) throw new ArgumentException("--force goes with --quantise; without it a file is written only if it agrees with torch.");
            using var model = TrainedModel.Open(RunStore.Open().FolderNamed(p.GetRequiredValue(run)));
            if (p.GetValue(quantise) is not null) return Quantise(model, p.GetValue(to), p.GetValue(data), p.GetValue(force), cancellation);
            var exported = RunExport.Write(model, p.GetValue(to), DataOf(model, p.GetValue(data)));
            Screen.Line($"{exported.Path}: opset {OnnxGraph.Opset}, {Text(exported.Bytes / 1e6, "0.0")} MB, {exported.Nodes} operations");
            Screen.Line(
                $"  onnxruntime gives torch's logits to {Text(exported.Worst, "0.0e+0")} of the largest (tolerance {Text(RunExport.Tolerance, "0e+0")}) on " +
                $"{exported.InventedWindows} invented and {exported.RealWindows} real windows, {Text(exported.Speed, "0.00")} times as fast on {torch.get_num_threads()} threads");
            return 0;
        });
    }

    static int Quantise(TrainedModel model, string? to, string? data, bool force, CancellationToken cancellation)
    {
        if (data == "none")
            throw new ArgumentException("--quantise needs recordings: ranges come from those that the run was trained on, the loss from those that it held out. Leave --check-data none away.");
        var run = RunQuantisation.Write(model, Datasets.Open(data ?? model.Record.Trial.Data), to, force, cancellation);
        Screen.Line($"{model.Card.Name}: {run.Convolutions} convolutions in int8, ranges from {run.CalibrationWindows} windows of training recordings");
        Screen.Table(["form", "mAP>", "ROC-AUC>", "MB>", "speed>"],
        [
            ["float32", Text(run.Float.MeanAveragePrecision, "0.0000"), Text(run.Float.RocAuc, "0.0000"), Text(run.Float.Bytes / 1e6, "0.0"), "1.00"],
            ["int8", Text(run.Integer.MeanAveragePrecision, "0.0000"), Text(run.Integer.RocAuc, "0.0000"), Text(run.Integer.Bytes / 1e6, "0.0"), Text(run.Speed, "0.00")],
        ]);
        Screen.Line($"  on {run.Recordings} held-out recordings, in onnxruntime on {torch.get_num_threads()} threads");
        if (run.IsWritten)
        {
            Screen.Line($"{run.Path}: {(run.Drawback is { } why ? $"written as asked, but it does not pay: {why}" : $"it pays; mAP changes by {Text(-run.Loss, "+0.0000;-0.0000")}")}");
            return 0;
        }
        Screen.Error($"It does not pay: {run.Drawback}. No file is written; --force writes it.");
        return Verb.Failed;
    }

    static Dataset? DataOf(TrainedModel model, string? name)
    {
        if (name == "none") return null;
        if (name is not null) return Datasets.Open(name);
        try
        {
            return Datasets.Open(model.Record.Trial.Data);
        }
        catch (Exception e) when (e is ArgumentException or IOException or InvalidDataException)
        {
            Screen.Warn($"The model is not compared on real recordings: {e.Message}");
            return null;
        }
    }

    static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
