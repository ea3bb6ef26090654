using System.CommandLine;
using System.Globalization;
using BirdResearch.Data;
using BirdResearch.Experiments;
using BirdResearch.Export.Graph;
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
        return new Command("export",
            $"""
            Writes a trained model as one ONNX file: raw samples in, logits out, any number of windows at once, with the front-end inside and
            sample rate, seconds, classes and the run's name in the metadata.

            The file is written only if onnxruntime gives torch's logits, to {RunExport.Tolerance:0e+0} of the largest, on noise, tones, clicks and
            silence and on real recordings where the data set is at hand.

            Examples:
              bird export tf_efficientnet_b0.mel.birds.f0
              bird export results/models/tsresnet18.mel.birds.f1.s1-8ff5620fa3 --out tsresnet18.onnx
            """)
        { run, to, data, threads }.Does((p, _) =>
        {
            if (p.GetValue(threads) is { } count)
            {
                if (count is < 1 or > 1024) throw new ArgumentException($"--threads is {count}; it must be between 1 and 1024.");
                torch.set_num_threads(count);
            }
            using var model = TrainedModel.Open(RunStore.Open().FolderNamed(p.GetRequiredValue(run)));
            var exported = RunExport.Write(model, p.GetValue(to), DataOf(model, p.GetValue(data)));
            Screen.Line($"{exported.Path}: opset {OnnxGraph.Opset}, {Text(exported.Bytes / 1e6, "0.0")} MB, {exported.Nodes} operations");
            Screen.Line(
                $"  onnxruntime gives torch's logits to {Text(exported.Worst, "0.0e+0")} of the largest (tolerance {Text(RunExport.Tolerance, "0e+0")}) on " +
                $"{exported.InventedWindows} invented and {exported.RealWindows} real windows, {Text(exported.Speed, "0.00")} times as fast on {torch.get_num_threads()} threads");
            return 0;
        });
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
