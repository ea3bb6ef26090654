using System.Diagnostics;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Metrics;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// Trains a classifier on windows of recordings: the one loop of all models. Order, windows, augmentation and dropout are pure
/// functions of the seed and the epoch, so a training that was stopped goes on from its last whole epoch to the same bits
/// (same machine and thread count).
/// </summary>
public sealed class Trainer
{
    readonly FrontEnd _frontEnd;
    readonly Classifier _model;
    readonly WindowReader _reader;
    readonly Dataset _data;
    readonly Split _split;
    readonly TrainingSettings _settings;
    readonly int _seed;
    readonly Loss _loss;
    readonly AdamW _optimiser;
    readonly Augmenter _augmenter;
    readonly List<EpochRow> _rows = [];

    /// <param name="frontEnd">Sound to features.</param>
    /// <param name="model">Features to logits, one per class of <paramref name="data"/>.</param>
    /// <param name="reader">Reads windows of <paramref name="data"/> at the front-end's rate.</param>
    /// <param name="data">The data set.</param>
    /// <param name="split">Which recordings are trained on and which are held out.</param>
    /// <param name="settings">Training set-up.</param>
    /// <param name="seed">Seed of order, windows, augmentation and dropout.</param>
    public Trainer(
        FrontEnd frontEnd, Classifier model, WindowReader reader, Dataset data, Split split, TrainingSettings settings, int seed)
    {
        settings.Check();
        (_frontEnd, _model, _reader, _data, _split, _settings, _seed) = (frontEnd, model, reader, data, split, settings, seed);
        _loss = Loss.Named(settings.Loss, data.Labelling, settings.LabelSmoothing);
        ProductPrecision.Apply(settings.Precision, model);
        _optimiser = ParameterRules.Optimiser(model, settings);
        _augmenter = new Augmenter(settings.Augmentation, frontEnd.SampleRate, frontEnd.MaskedValue);
    }

    /// <summary>The loss in use.</summary>
    public Loss Loss => _loss;

    /// <summary>Finished epochs.</summary>
    public IReadOnlyList<EpochRow> Rows => _rows;

    /// <summary>Optimiser steps taken.</summary>
    public long Steps => _optimiser.Steps;

    /// <summary>How often each augmentation was offered and applied in this sitting.</summary>
    public AugmentationCounts AugmentationCounts => _augmenter.Counts;

    /// <summary>Goes on from the checkpoint, if there is one, to the last epoch; after each epoch the checkpoint is renewed.</summary>
    /// <param name="checkpoint">File that holds the last whole epoch; null keeps none.</param>
    /// <param name="progress">Called a few times a second and after every epoch.</param>
    /// <param name="cancellation">Stops between two steps; the last whole epoch stays in the checkpoint.</param>
    public void Run(string? checkpoint = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (checkpoint is not null && File.Exists(checkpoint)) _rows.AddRange(Checkpoint.Read<EpochRow>(checkpoint, _model, _optimiser));
        var pace = new Pace(_settings.Epochs, _split.Train.Count, _rows, progress);
        while (_rows.Count < _settings.Epochs)
        {
            var row = RunEpoch(_rows.Count, pace, cancellation);
            _rows.Add(row);
            if (checkpoint is not null) Checkpoint.Write(checkpoint, _model, _optimiser, _rows);
            pace.Report(row);
        }
    }

    EpochRow RunEpoch(int epoch, Pace pace, CancellationToken cancellation)
    {
        manual_seed((long)(new CounterRandom(_seed, epoch).NextBits() >> 1));
        _model.train();
        var (sum, clips, rate, step) = (0.0, 0L, 0.0, 0);
        var watch = Stopwatch.StartNew();
        var stepsPerEpoch = ClipBatches.PerEpoch(_split.Train.Count, _settings.BatchSize);
        var schedule = new Schedule(_settings.LearningRate, (long)_settings.Epochs * stepsPerEpoch, _settings.WarmupShare);
        foreach (var batch in ClipBatches.Training(_reader, _split.Train, _data.Classes, _settings.BatchSize, _seed, epoch, _augmenter.OnWindow, cancellation: cancellation))
        {
            rate = schedule.At(((long)epoch * stepsPerEpoch) + step);
            sum += Step(batch, epoch, step++, rate) * batch.Count;
            clips += batch.Count;
            pace.Report(epoch, clips, watch.Elapsed.TotalSeconds);
            cancellation.ThrowIfCancellationRequested();
        }
        var seconds = watch.Elapsed.TotalSeconds;
        pace.Add(clips, seconds);

        var row = new EpochRow(epoch + 1, seconds, clips, rate, sum / clips, null, null, null, null);
        if (!_settings.EvaluatesAfter(epoch)) return row;
        var train = Evaluate(SampleOfTraining(), "train", cancellation: cancellation);
        row = row with { TrainMap = Ranking.MeanAveragePrecision(train.Scores).OrNull() };
        if (_split.Validation.Count == 0) return row;
        var focal = Evaluate(_split.Validation, "focal", cancellation: cancellation);
        return row with
        {
            FocalLoss = focal.Loss,
            FocalMap = Ranking.MeanAveragePrecision(focal.Scores).OrNull(),
            FocalAuc = Ranking.MacroRocAuc(focal.Scores).OrNull(),
        };
    }

    double Step(ClipBatch clips, int epoch, int step, double learningRate)
    {
        using var scope = NewDisposeScope();
        Tensor features, labels;
        using (no_grad())
        {
            var batch = _augmenter.OnBatch(new LabelledSound(
                tensor(clips.Samples, [clips.Count, clips.WindowSamples]),                        // (B, T)
                tensor(clips.Labels, [clips.Count, _data.Classes.Count]),                         // (B, C)
                clips.Keys));
            labels = batch.Labels;
            features = _augmenter.OnFeatures(_frontEnd.forward(batch.Samples), batch.Keys);       // (B, 1, M, F)
        }
        var loss = _loss.Of(_model.forward(features), labels);
        loss.backward();
        var value = loss.item<float>();
        var norm = _optimiser.Step(learningRate, _settings.ClipNorm);
        if (!float.IsFinite(value) || !double.IsFinite(norm))
            throw new InvalidOperationException(
                $"Training of {_model.ModelName} diverged in epoch {epoch + 1}, step {step + 1} (loss {value}, gradient norm {norm}). " +
                "Lower training.learning_rate or training.clip_norm.");
        return value;
    }

    /// <summary>Scores clips with the present weights.</summary>
    /// <param name="clips">Recordings or windows.</param>
    /// <param name="domain">Name of their domain: train, focal or soundscape.</param>
    /// <param name="windowsDone">Called with the number of windows scored so far.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    public Evaluation Evaluate(
        IReadOnlyList<Clip> clips, string domain, Action<int>? windowsDone = null, CancellationToken cancellation = default) =>
        Evaluation.Of(
            _frontEnd, _model, _loss, _reader, _data.Classes, clips, domain,
            _settings.BatchSize, _settings.EvaluationWindows, windowsDone, cancellation);

    /// <summary>As many training recordings as are held out, evenly spread: what the over-fitting gap is measured on.</summary>
    public IReadOnlyList<Clip> SampleOfTraining()
    {
        var want = Math.Min(_split.Train.Count, Math.Max(_split.Validation.Count, Math.Min(_split.Train.Count, 32)));
        return [.. Enumerable.Range(0, want).Select(i => _split.Train[(int)((long)i * _split.Train.Count / want)])];
    }

    /// <summary>Counts clips and tells the listener how far the training is.</summary>
    sealed class Pace(int epochs, int clipsPerEpoch, IReadOnlyList<EpochRow> rows, IProgress<TrainingProgress>? listener)
    {
        readonly Stopwatch _sinceReport = Stopwatch.StartNew();
        readonly long _before = rows.Sum(r => r.Clips);
        long _clips;
        double _seconds;

        public void Add(long clips, double seconds) => (_clips, _seconds) = (_clips + clips, _seconds + seconds);

        public void Report(int epoch, long clips, double seconds)
        {
            if (_sinceReport.ElapsedMilliseconds < 200) return;
            _sinceReport.Restart();
            listener?.Report(new TrainingProgress(
                epoch + 1, epochs, _before + _clips + clips, (long)epochs * clipsPerEpoch, (_clips + clips) / (_seconds + seconds), null));
        }

        public void Report(EpochRow row) => listener?.Report(new TrainingProgress(
            row.Epoch, epochs, _before + _clips, (long)epochs * clipsPerEpoch, _seconds > 0 ? _clips / _seconds : 0, row));
    }
}
