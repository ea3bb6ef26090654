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
    readonly EpochClips? _clips;
    readonly TrainingSettings _settings;
    readonly int _seed;
    readonly Loss _loss;
    readonly AdamW _optimiser;
    readonly Augmenter _augmenter;
    readonly NoCallWindows? _noCall;
    readonly HashSet<string> _targets;
    readonly PrecisionChooser _precision;
    readonly WeightAverage? _average;
    readonly SharpGradient? _sharp;
    readonly BestWeights? _best;
    readonly ITrainingState[] _states;
    readonly Lazy<BudgetMeter> _meter;
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
        : this(frontEnd, model, reader, data, split, settings, seed, null)
    {
    }

    /// <summary>The same with clips that change from epoch to epoch; there are as many in each as are trained on otherwise.</summary>
    internal Trainer(
        FrontEnd frontEnd, Classifier model, WindowReader reader, Dataset data, Split split, TrainingSettings settings, int seed, EpochClips? clips)
    {
        settings.Check();
        _clips = clips;
        (_frontEnd, _model, _reader, _data, _split, _settings, _seed) = (frontEnd, model, reader, data, split, settings, seed);
        var stopping = settings.Stopping;
        if (stopping.IsWatched && split.Validation.Count == 0 && WatchedMetric.NeedsValidation(stopping.Metric))
            throw new ArgumentException(
                $"training.stopping.metric is {stopping.Metric}, but nothing is held out ({split.Rule}). Watch train_loss, or hold out a fold.");
        _meter = new(Meter);
        _loss = Loss.Named(settings.Loss, data.Labelling, settings.LabelSmoothing, settings.Focal, settings.Asymmetric);
        _precision = new PrecisionChooser(settings.Precision, model, () => PrecisionTrial.Choose(model, settings.BatchSize));
        if (settings.Precision != ProductPrecision.Auto) _precision.Settle();
        _optimiser = ParameterRules.Optimiser(model, settings);
        _augmenter = new Augmenter(
            settings.Augmentation, frontEnd.SampleRate, frontEnd.MaskedValue, BackgroundSounds.Of(settings.Augmentation.Background, data, split, reader));
        _noCall = NoCallWindows.Of(settings.NoCall, data, split, _loss.IsShared);
        _targets = [.. data.Unlabelled];
        _average = settings.Ema.Decay > 0 ? new WeightAverage(model, settings.Ema) : settings.Swa.Share > 0 ? new WeightAverage(model, settings.Swa) : null;
        _sharp = settings.Sharpness.Rho > 0 ? new SharpGradient(model, settings.Sharpness) : null;
        _best = stopping.KeepsBest ? new BestWeights(model) : null;
        _states = [.. new ITrainingState?[] { _precision, _average, _best }.OfType<ITrainingState>()];
    }

    /// <summary>The loss in use.</summary>
    public Loss Loss => _loss;

    /// <summary>Finished epochs.</summary>
    public IReadOnlyList<EpochRow> Rows => _rows;

    /// <summary>Optimiser steps taken.</summary>
    public long Steps => _optimiser.Steps;

    /// <summary>How often each augmentation was offered and applied, earlier sittings included.</summary>
    public AugmentationCounts AugmentationCounts => _augmenter.Counts;

    /// <summary>The number format of the products; known once training has begun.</summary>
    public PrecisionChoice Precision => _precision.Choice;

    /// <summary>Which weights the model holds after <see cref="Run"/>.</summary>
    public KeptWeights Kept
    {
        get
        {
            var best = _settings.Stopping.KeepsBest ? StoppingAfter(_rows).BestEpoch : 0;
            var kept = _rows[best > 0 ? best - 1 : ^1];
            var metric = _settings.Stopping.IsWatched ? _settings.Stopping.Metric : null;
            var value = metric is not null && WatchedMetric.Of(metric, kept) is { } v ? Math.Abs(v) : (double?)null;
            return new KeptWeights(best > 0 ? "best" : "last", kept.Epoch, _rows.Count, _meter.Value.Epochs(_rows), _average is { Taken: > 0 }, metric, value);
        }
    }

    /// <summary>
    /// Goes on from the checkpoint, if there is one, to the last epoch; after each epoch the checkpoint is renewed. The model then holds the
    /// weights of <see cref="Kept"/>.
    /// </summary>
    /// <param name="checkpoint">File that holds the last whole epoch; null keeps none.</param>
    /// <param name="progress">Called a few times a second and after every epoch.</param>
    /// <param name="cancellation">Stops between two steps; the last whole epoch stays in the checkpoint.</param>
    /// <param name="beforeSaving">Called before the checkpoint is renewed; throws where that may not be done any more.</param>
    public void Run(
        string? checkpoint = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellation = default, Action? beforeSaving = null)
    {
        if (checkpoint is not null && File.Exists(checkpoint))
            _rows.AddRange(Checkpoint.Read<EpochRow>(checkpoint, _model, _optimiser, _states));
        foreach (var row in _rows) _augmenter.Counts.Restore(row.Epoch - 1, row.Augmentations);
        _precision.Settle();
        var pace = new Pace(_meter.Value, _rows, progress);
        while (!_meter.Value.IsSpent(_rows) && !StoppingAfter(_rows).IsOver)
        {
            var row = RunEpoch(_rows.Count, pace, cancellation);
            _rows.Add(row);
            beforeSaving?.Invoke();
            if (checkpoint is not null) Checkpoint.Write(checkpoint, _model, _optimiser, _rows, _states);
            pace.Report(row);
        }
        _average?.CopyToModel();
        EstimateNorms(cancellation);
        _best?.CopyToModel();
    }

    Stopping StoppingAfter(IEnumerable<EpochRow> rows) =>
        Stopping.After(_settings.Stopping, rows, row => row.Evaluated);

    BudgetMeter Meter()
    {
        var clips = ClipBatches.SamplesPerEpoch(_reader, _split.Train, _settings.Sampling, _seed);
        if (_settings.Budget.Unit != BudgetUnit.MultiplyAdds) return new(_settings.Budget, clips, 0);
        var price = MultiplyAdds.Count(_model, new(_frontEnd.Channels, _frontEnd.Rows, _frontEnd.Frames(_reader.WindowSamples))) * _settings.Sharpness.Passes;
        var meter = new BudgetMeter(_settings.Budget, clips, price);
        return meter.Clips >= 2 ? meter : throw new ArgumentException(
            $"training.budget is {_settings.Budget}, but one clip costs {_model.ModelName} {price:N0}: it must be enough for two.");
    }

    /// <summary>
    /// Learning rate by the steps taken, or, where time is the budget, by the share that will be spent when the step has ended. It stays where it is
    /// while weights are averaged alike.
    /// </summary>
    double LearningRateAt(long step, Func<double> share) => _meter.Value.Steps(_settings.BatchSize, _settings.Accumulate) is { } steps
        ? new Schedule(_settings.LearningRate, steps, _settings.WarmupShare).At(Math.Min(step, (long)((1 - _settings.Swa.Share) * steps)))
        : Schedule.AtShare(_settings.LearningRate, Math.Min(share(), 1 - _settings.Swa.Share), _settings.WarmupShare);

    /// <summary>Share of the budget after so many steps.</summary>
    double ShareAt(long steps, Func<double> share) =>
        _meter.Value.Steps(_settings.BatchSize, _settings.Accumulate) is { } all ? (double)steps / all : share();

    EpochRow RunEpoch(int epoch, Pace pace, CancellationToken cancellation)
    {
        manual_seed((long)(new CounterRandom(_seed, epoch).NextBits() >> 1));
        _model.train();
        var (sum, clips, waited) = (0.0, 0L, TimeSpan.Zero);
        var (clipsBefore, secondsBefore, lastStep) = (_rows.Sum(r => r.Clips), _rows.Sum(r => r.Seconds), 0.0);
        var (meter, watch) = (_meter.Value, Stopwatch.StartNew());
        double Spent(double ahead) => meter.Share(clipsBefore + clips, secondsBefore + watch.Elapsed.TotalSeconds + ahead);
        var steps = new GradientSteps(
            _model, _optimiser, _settings, _average, _sharp, step => LearningRateAt(step, () => Spent(lastStep)), taken => ShareAt(taken, () => Spent(0)));
        foreach (var batch in ClipBatches.Training(
            _reader, _clips?.Of(epoch) ?? _split.Train, _data.Classes, _settings.BatchSize, _seed, epoch, _augmenter.OnWindow, null, cancellation, _settings.Sampling,
            meter.ClipsOfEpoch(clipsBefore), _noCall))
        {
            var begun = watch.Elapsed;
            using var lent = batch;
            waited += batch.Waited;
            using var scope = NewDisposeScope();
            var (features, labels, weights) = Features(batch);
            sum += steps.Add(() => _loss.Sum(_model.forward(features), labels, weights)) * batch.Count;
            clips += batch.Count;
            pace.Report(epoch, clips, watch.Elapsed.TotalSeconds);
            cancellation.ThrowIfCancellationRequested();
            lastStep = (watch.Elapsed - begun).TotalSeconds;
            if (Spent(0) >= 1) break;
        }
        steps.Finish();
        var seconds = watch.Elapsed.TotalSeconds;
        pace.Add(clips, seconds);
        var row = new EpochRow(epoch + 1, seconds, clips, steps.LearningRate, sum / clips, null, null, null, null)
        {
            Evaluated = meter.EvaluatesAfter(
                epoch + 1, meter.Share(clipsBefore, secondsBefore), meter.Share(clipsBefore + clips, secondsBefore + seconds), _settings.EvaluateEvery),
            WaitingShare = waited.TotalSeconds / seconds,
            Augmentations = _augmenter.Counts.OfEpoch(epoch),
        };
        return row.Evaluated ? Evaluated(row, cancellation) : row;
    }

    (Tensor Features, Tensor Labels, Tensor? Weights) Features(ClipBatch clips)
    {
        using var off = no_grad();
        var batch = _augmenter.OnBatch(new LabelledSound(
            tensor(clips.Samples, [clips.Count, clips.WindowSamples]),                        // (B, T)
            tensor(clips.Labels, [clips.Count, _data.Classes.Count]),                         // (B, C)
            clips.Keys)
        {
            LabelWeights = clips.LabelWeights is { } weights ? tensor(weights, [clips.Count, _data.Classes.Count]) : null,
        });
        var features = _augmenter.OnFeatures(_frontEnd.OfTraining(batch.Samples, AreOfTraining(clips)), batch.Keys);   // (B, 1, M, F)
        foreach (var key in clips.Keys)
            if (_noCall is not null) _augmenter.Counts.Add(key, NoCallWindows.Name, _noCall.Has(key.Clip));
        return (features, batch.Labels, batch.LabelWeights);
    }

    /// <summary>Statistics of batch norms under weights that are the average of others: no step has made them.</summary>
    void EstimateNorms(CancellationToken cancellation)
    {
        if (_settings.Swa.Share == 0 || _average is not { Taken: > 0 }) return;
        var sound = TrainingSound.Batches(_reader, _data, _split, _seed, _settings.Swa.Windows, cancellation);
        new NormStatistics(_model).Estimate(sound, x => _frontEnd.OfTraining(x));
    }

    /// <summary>Which rows are not cut from soundscapes; null for all.</summary>
    bool[]? AreOfTraining(ClipBatch clips)
    {
        bool[] soundscapes = [.. clips.Ids.Select(id => _targets.Contains(UnlabelledSoundscapes.FileOf(id)))];
        return soundscapes.Contains(true) ? [.. soundscapes.Select(s => !s)] : null;
    }

    /// <summary>The row with its scores, by the averaged weights where weights are averaged.</summary>
    EpochRow Evaluated(EpochRow row, CancellationToken cancellation)
    {
        _average?.Exchange();
        try
        {
            EstimateNorms(cancellation);
            var train = Evaluate(SampleOfTraining(), "train", cancellation: cancellation);
            row = row with { TrainMap = Ranking.MeanAveragePrecision(train.Scores).OrNull() };
            if (_split.Validation.Count > 0)
            {
                var focal = Evaluate(_split.Validation, "focal", cancellation: cancellation);
                row = row with
                {
                    FocalLoss = focal.Loss,
                    FocalMap = Ranking.MeanAveragePrecision(focal.Scores).OrNull(),
                    FocalAuc = Ranking.MacroRocAuc(focal.Scores).OrNull(),
                };
            }
            if (_best is not null && StoppingAfter([.. _rows, row]).BestEpoch == row.Epoch) _best.Take();
            return row;
        }
        finally
        {
            _average?.Exchange();
        }
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
}
