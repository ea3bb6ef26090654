using System.Runtime.InteropServices;
using System.Text.Json;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Inference;
using BirdResearch.Models;
using BirdResearch.Training;
using static TorchSharp.torch;

namespace BirdResearch.Experiments;

/// <summary>The model and front-end of a finished run, ready to score: what torch does with sound, to be used or to be exported.</summary>
public sealed class TrainedModel : IWindowClassifier
{
    TrainedModel(RunRecord record, string folder, FrontEnd frontEnd, Classifier model, ModelCard card) =>
        (Record, Folder, FrontEnd, Model, Card) = (record, folder, frontEnd, model, card);

    /// <summary>The run.</summary>
    public RunRecord Record { get; }

    /// <summary>Its folder.</summary>
    public string Folder { get; }

    /// <summary>What turns sound into features, fitted.</summary>
    public FrontEnd FrontEnd { get; }

    /// <summary>The classifier with the kept weights, in evaluation mode.</summary>
    public Classifier Model { get; }

    /// <inheritdoc/>
    public ModelCard Card { get; }

    /// <summary>Opens the folder of a finished run; a missing or foreign part is an error that names the file.</summary>
    public static TrainedModel Open(string folder)
    {
        var file = Path.Combine(folder, "run.json");
        if (!File.Exists(file)) throw new FileNotFoundException($"'{folder}' is not the folder of a finished run: it has no run.json.", file);
        var record = RunStore.ReadRecord(file);
        var weights = Path.Combine(folder, "weights.safetensors");
        if (!File.Exists(weights))
            throw new FileNotFoundException(
                $"'{folder}' has no weights.safetensors. Weights are not committed: move the folder away and run '{record.Ablation}' again to train them.", weights);

        var (classes, prior) = Classes(Path.Combine(folder, "classes.csv"), record.Data.TrainRecordings);
        var frontEnd = FrontEnds.Create(record.Trial.Features!);
        if (!frontEnd.IsFitted) FrontEndFitting.Load(frontEnd, Path.Combine(folder, FrontEndFitting.FileName));
        var model = Classifiers.Create(record.Trial.Model, classes.Count, TrialRunner.ShapeOf(frontEnd, record.Trial.Training.WindowSeconds));
        try
        {
            Weights.Load(model, weights);
            model.eval();
            frontEnd.eval();
            return new TrainedModel(record, folder, frontEnd, model, new ModelCard
            {
                Name = record.Name,
                Model = record.Trial.Model,
                FrontEnd = record.Trial.FrontEnd,
                Run = record.Name,
                SampleRate = frontEnd.SampleRate,
                Seconds = record.Trial.Training.WindowSeconds,
                Classes = classes,
                Scores = RuleOf(record),
                Prior = prior,
                Preprocessing = JsonSerializer.Serialize(record.Trial.Features, RunStore.Json),
            });
        }
        catch
        {
            frontEnd.Dispose();
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Score(ReadOnlyMemory<float> windows, int count, Span<float> logits)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        var samples = MemoryMarshal.TryGetArray(windows, out var array) && array.Offset == 0 && array.Count == array.Array!.Length
            ? array.Array
            : windows.ToArray();
        var result = Model.forward(FrontEnd.forward(tensor(samples, [count, Card.WindowSamples])));   // (B, C)
        result.data<float>().CopyTo(logits);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        FrontEnd.Dispose();
        Model.Dispose();
    }

    /// <summary>Class names in order, and each one's share of the training recordings.</summary>
    static (IReadOnlyList<string> Classes, IReadOnlyList<double> Prior) Classes(string file, int recordings)
    {
        var rows = CsvTable.Read(file, "class", "train_recordings").Rows;
        return ([.. rows.Select(r => r.Text("class"))], [.. rows.Select(r => Math.Min(1, (r.Number64("train_recordings") ?? 0) / Math.Max(1, recordings)))]);
    }

    /// <summary>Softmax after cross-entropy, else sigmoid. Records from before this was written down are settled by their data set.</summary>
    static ScoreRule RuleOf(RunRecord record) =>
        record.ScoreRule ?? TrialRunner.RuleOf(Loss.Named(record.Trial.Training.Loss, Datasets.Open(record.Trial.Data).Labelling));
}
