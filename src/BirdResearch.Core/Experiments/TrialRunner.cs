using BirdResearch.Claims;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Inference;
using BirdResearch.Metrics;
using BirdResearch.Models;
using BirdResearch.Training;
using TorchSharp;

namespace BirdResearch.Experiments;

/// <summary>What a listener hears while trials run.</summary>
/// <param name="Run">Name of the run.</param>
/// <param name="Phase">What happens.</param>
/// <param name="Training">How far the training is, in <see cref="RunPhase.Training"/>.</param>
/// <param name="Record">The record, in <see cref="RunPhase.ReadBack"/> and <see cref="RunPhase.Finished"/>.</param>
/// <param name="Note">A sentence for the reader, or null.</param>
public sealed record RunEvent(string Run, RunPhase Phase, TrainingProgress? Training = null, RunRecord? Record = null, string? Note = null);

/// <summary>Stages of a run.</summary>
public enum RunPhase
{
    /// <summary>It exists and was read back.</summary>
    ReadBack,

    /// <summary>Others train it; the note says who.</summary>
    Waiting,

    /// <summary>It starts, or goes on from its last whole epoch.</summary>
    Started,

    /// <summary>Weights to start from were loaded; the note says how they fitted.</summary>
    Loaded,

    /// <summary>Something to know, in the note; the run goes on.</summary>
    Noted,

    /// <summary>It is being trained.</summary>
    Training,

    /// <summary>Its last weights are being scored.</summary>
    Scoring,

    /// <summary>It is whole.</summary>
    Finished,

    /// <summary>It could not be trained; the note says why.</summary>
    Failed,
}

/// <summary>
/// Runs trials: reads back what exists, goes on where one was stopped, trains what is missing. Any number of processes, also of several
/// machines, may run the same trials in one store: each run is trained by whoever holds its claim.
/// </summary>
/// <param name="store">Where runs lie.</param>
/// <param name="me">Who claims runs; null takes this process.</param>
public sealed partial class TrialRunner(RunStore store, ClaimHolder? me = null)
{
    readonly Dictionary<string, Dataset> _data = [];
    readonly Dictionary<(string, int, double), WindowReader> _readers = [];

    /// <summary>The data set of a trial, opened once.</summary>
    public Dataset Open(string data, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellation = default) =>
        _data.TryGetValue(data, out var known) ? known : _data[data] = Datasets.Open(data, progress, cancellation);

    /// <summary>The trial with everything filled in that it leaves to the catalogue and the data set.</summary>
    public Trial Complete(Trial trial)
    {
        trial.Training.Check();
        _ = Classifiers.Named(trial.Model);
        var data = Open(trial.Data);
        var split = Splits.Of(data, trial.Fold);
        if (trial.Training.Pretrained is { } weights) _ = PretrainedWeights.FileOf(weights);
        SelfTraining.Check(trial.Training.PseudoLabels, data, split);
        NormAdapter.Check(trial.Training.Adaptation, trial.Model, data, split);
        BackgroundSounds.Check(trial.Training.Augmentation.Background, data, split);
        _ = NoCallWindows.Of(trial.Training.NoCall, data, split, Loss.Named(trial.Training.Loss, data.Labelling).IsShared);
        var features = trial.Features ?? FrontEnds.Named(trial.FrontEnd);
        FrontEndFitting.Check(features, data, split);
        return trial with { Fold = split.Fold, Features = features };
    }

    /// <summary>
    /// Loads the weights that a trial starts from into its model once, and throws where they do not fit: so that a grid fails before its
    /// first training, not between two.
    /// </summary>
    public void CheckPretrained(Trial trial)
    {
        if (trial.Training.Pretrained is not { } weights) return;
        trial = Complete(trial);
        using var scope = torch.NewDisposeScope();
        using var frontEnd = FrontEnds.Create(trial.Features!);
        using var model = Classifiers.Create(trial.Model, Open(trial.Data).Classes.Count, ShapeOf(frontEnd, trial.Training.WindowSeconds));
        _ = PretrainedWeights.Load(model, weights);
    }

    /// <summary>Throws where a trial of an ablation could not start, so that none of them is trained in vain.</summary>
    public void Check(Ablation ablation)
    {
        foreach (var trial in ablation.Trials.DistinctBy(t => (t.Model, t.FrontEnd, t.Features, t.Data, t.Training.Pretrained))) CheckPretrained(trial);
    }

    RunRecord Train(
        string ablation, string name, Trial trial, Dataset data, string folder, Action beforeSaving,
        IProgress<RunEvent>? listener, CancellationToken cancellation)
    {
        using var scope = torch.NewDisposeScope();
        var split = Splits.Of(data, trial.Fold);
        using var frontEnd = FrontEnds.Create(trial.Features!);
        var shape = ShapeOf(frontEnd, trial.Training.WindowSeconds);
        var (model, loaded, pretrained) = Create(trial, data, shape, trial.Seed);
        using var made = model;
        if (loaded is not null) listener?.Report(new RunEvent(name, RunPhase.Loaded, Note: loaded.ToString()));

        var reader = ReaderOf(data, frontEnd.SampleRate, trial.Training.WindowSeconds);
        FrontEndFitting.Prepare(frontEnd, reader, data, split, trial.Seed, Path.Combine(folder, FrontEndFitting.FileName), cancellation);
        var training = new SelfTraining(frontEnd, seed => Create(trial, data, shape, seed).Model, reader, data, split, trial.Training, trial.Seed);
        training.Run(
            model, Path.Combine(folder, RunFiles.Checkpoint), Relay(name, listener), note => listener?.Report(new RunEvent(name, RunPhase.Noted, Note: note)), cancellation, beforeSaving);
        var trainer = training.Last;

        if (reader.Disk?.Trouble is { } trouble) listener?.Report(new RunEvent(name, RunPhase.Noted, Note: trouble));
        listener?.Report(new RunEvent(name, RunPhase.Scoring));
        var evaluations = new Dictionary<string, Evaluation> { ["train"] = trainer.Evaluate(trainer.SampleOfTraining(), "train", null, cancellation) };
        if (split.Validation.Count > 0) evaluations["focal"] = trainer.Evaluate(split.Validation, "focal", null, cancellation);
        var adapter = new NormAdapter(trial.Training, frontEnd, model, reader, data, split, trial.Seed);
        adapter.Adapt(cancellation); // from here on the model holds what is saved; the scores above are the source's
        if (data.Soundscapes.Count > 0) evaluations["soundscape"] = adapter.Evaluate(trainer.Loss, data.Soundscapes, "soundscape", cancellation);

        beforeSaving();
        RunFiles.WriteEpochs(folder, training.Rows);
        if (training.Rounds.Count > 0) RunFiles.WritePseudoLabels(folder, training.Labels);
        RunFiles.WriteClasses(folder, data, split, evaluations);
        foreach (var evaluation in evaluations.Values) RunFiles.WriteScores(folder, evaluation.Scores);
        RunExamples.Write(folder, data, split, reader, frontEnd, evaluations);
        if (frontEnd is ExpandAndSparsify) RunCodes.Write(folder, frontEnd, reader, data, split);
        Weights.Save(model, Path.Combine(folder, "weights.safetensors"), new Dictionary<string, string>
        {
            ["model"] = trial.Model,
            ["front_end"] = trial.FrontEnd,
            ["classes"] = string.Join(' ', data.Classes),
            ["sample_rate"] = frontEnd.SampleRate.ToString(System.Globalization.CultureInfo.InvariantCulture),
            ["run"] = name,
        });

        var seconds = training.Rows.Sum(r => r.Seconds);
        var clips = training.Rows.Sum(r => r.Clips);
        return new RunRecord
        {
            Recipe = RunStore.Recipe,
            Files = RunFreshness.Digests(folder),
            Ablation = ablation,
            Name = name,
            Trial = trial,
            Model = new ModelFacts(
                trial.Model, model.ParameterCount, MultiplyAdds.Count(model, shape), shape.Rows, shape.Frames),
            Data = new DataFacts(
                data.Name, data.ContentKey, data.Classes.Count, split.Train.Count, split.Validation.Count, data.Soundscapes.Count, split.Rule)
            {
                WithoutLabelsKey = SoundWithoutLabels.KeyOf(trial, data),
            },
            Scores = evaluations.ToDictionary(e => e.Key, e => ScoresOf(e.Value.Scores)),
            Kept = training.Kept,
            Precision = trainer.Precision,
            Pretrained = pretrained,
            PseudoLabels = training.Rounds.Count > 0 ? training.Rounds : null,
            Adaptation = adapter.Facts,
            ScoreRule = RuleOf(trainer.Loss),
            Cost = new RunCost(
                seconds, clips / seconds, evaluations.Values.Sum(e => e.Windows) / evaluations.Values.Sum(e => e.Seconds),
                training.Steps, clips, DateTime.UtcNow)
            {
                WaitingShare = training.Rows.Sum(r => r.WaitingShare * r.Seconds) / seconds,
            },
            Augmentations = training.Augmentations,
            Machine = Machine.Current(),
        };
    }

    /// <summary>The model of a trial before its training, from a seed, with what its pretrained weights are.</summary>
    static (Classifier Model, LoadReport? Loaded, PretrainedFacts? Pretrained) Create(Trial trial, Dataset data, InputShape shape, int seed)
    {
        torch.manual_seed(seed);
        var model = Classifiers.Create(
            trial.Model, data.Classes.Count, shape, new ModelOptions { DropRate = trial.Training.DropRate, DropPathRate = trial.Training.DropPathRate });
        var (loaded, facts) = trial.Training.Pretrained is { } weights ? PretrainedWeights.Load(model, weights) : default((LoadReport?, PretrainedFacts?));
        if (loaded is null || loaded.Missing.Contains($"{model.HeadKey}.weight")) model.ScaleHead(trial.Training.HeadScale);
        return (model, loaded, facts);
    }

    /// <summary>Shape of one window's features.</summary>
    public static InputShape ShapeOf(FrontEnd frontEnd, double windowSeconds) =>
        new(frontEnd.Channels, frontEnd.Rows, frontEnd.Frames((long)Math.Round(windowSeconds * frontEnd.SampleRate)));

    WindowReader ReaderOf(Dataset data, int sampleRate, double seconds) =>
        _readers.TryGetValue((data.Root, sampleRate, seconds), out var known)
            ? known
            : _readers[(data.Root, sampleRate, seconds)] = new WindowReader(data, sampleRate, seconds, disk: DiskCache.FromEnvironment());

    static DomainScores ScoresOf(Scores scores) => new(
        scores.Ids.Count,
        Enumerable.Range(0, scores.Classes.Count).Count(c => scores.Positives(c) > 0),
        Ranking.MeanAveragePrecision(scores).OrNull(),
        Ranking.MicroMeanAveragePrecision(scores).OrNull(),
        Ranking.SampleMeanAveragePrecision(scores).OrNull(),
        Ranking.PaddedMeanAveragePrecision(scores).OrNull(),
        Ranking.MacroRocAuc(scores).OrNull(),
        HasOneLabelPerRow(scores) ? Ranking.Accuracy(scores).OrNull() : null);

    static bool HasOneLabelPerRow(Scores scores)
    {
        for (var r = 0; r < scores.Ids.Count; r++)
            if (scores.Truth.Slice(r * scores.Classes.Count, scores.Classes.Count).Count(true) != 1) return false;
        return true;
    }

    /// <summary>How the logits that a loss trains become scores.</summary>
    internal static ScoreRule RuleOf(Loss loss) => loss.IsShared ? ScoreRule.Softmax : ScoreRule.Sigmoid;

    static Progress? Relay(string name, IProgress<RunEvent>? listener) => listener is null ? null : new Progress(name, listener);

    sealed class Progress(string name, IProgress<RunEvent> listener) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) => listener.Report(new RunEvent(name, RunPhase.Training, value));
    }
}
