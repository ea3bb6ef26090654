using System.Diagnostics;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Kernels;
using BirdResearch.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// Trains an SSAMBA without labels. Every step hides patches twice, independently: once to tell them apart, once to reconstruct them. Order,
/// windows, masks and drop paths are pure functions of the seed and the epoch, so that a pretraining that was stopped goes on from its last
/// whole epoch to the same bits (same machine and thread count).
/// </summary>
public sealed class Pretrainer
{
    enum Pass
    {
        Discriminate,
        Reconstruct,
    }

    readonly FrontEnd _frontEnd;
    readonly SsambaPretrainer _model;
    readonly WindowReader _reader;
    readonly PretrainingData _data;
    readonly PretrainingSettings _settings;
    readonly int _seed;
    readonly AdamW _optimiser;
    readonly ClusterMasks _masks, _validationMasks;
    readonly Scalar _reconstructionWeight;
    readonly List<PretrainingRow> _rows = [];

    /// <param name="frontEnd">Sound to features of the model's shape.</param>
    /// <param name="model">What is trained.</param>
    /// <param name="reader">Reads windows of <see cref="PretrainingData.Sound"/> at the front-end's rate.</param>
    /// <param name="data">The sound.</param>
    /// <param name="settings">Set-up.</param>
    /// <param name="seed">Seed of order, windows, masks and drop paths.</param>
    public Pretrainer(
        FrontEnd frontEnd, SsambaPretrainer model, WindowReader reader, PretrainingData data, PretrainingSettings settings, int seed)
    {
        settings.Check();
        (_frontEnd, _model, _reader, _data, _settings, _seed) = (frontEnd, model, reader, data, settings, seed);
        ProductPrecision.Apply(settings.Precision, model);
        _optimiser = new AdamW(
            model.named_parameters(), settings.WeightDecay, (key, p) => new ParameterRule { IsDecayed = SsambaPretrainer.IsDecayed(key, p) })
        {
            Beta1 = settings.Beta1,
            Beta2 = settings.Beta2,
        };
        _masks = new ClusterMasks(model.Grid, settings.MaskedShare, settings.SmallestCluster, settings.LargestCluster);
        _validationMasks = new ClusterMasks(model.Grid, settings.ValidationMaskedShare, settings.SmallestCluster, settings.LargestCluster);
        _reconstructionWeight = settings.ReconstructionWeight;
    }

    /// <summary>Finished epochs.</summary>
    public IReadOnlyList<PretrainingRow> Rows => _rows;

    /// <summary>Optimiser steps taken.</summary>
    public long Steps => _optimiser.Steps;

    /// <summary>Patches that are hidden in every training clip.</summary>
    public int HiddenPatches => _masks.Hidden;

    /// <summary>Goes on from the checkpoint, if there is one, to the last epoch; after each epoch the checkpoint is renewed.</summary>
    /// <param name="checkpoint">File that holds the last whole epoch; null keeps none.</param>
    /// <param name="progress">Called a few times a second and after every epoch.</param>
    /// <param name="cancellation">Stops between two steps; the last whole epoch stays in the checkpoint.</param>
    /// <param name="beforeSaving">Called before the checkpoint is renewed; throws where that may not be done any more.</param>
    public void Run(
        string? checkpoint = null, IProgress<PretrainingProgress>? progress = null, CancellationToken cancellation = default, Action? beforeSaving = null)
    {
        if (checkpoint is not null && File.Exists(checkpoint)) _rows.AddRange(Checkpoint.Read<PretrainingRow>(checkpoint, _model, _optimiser));
        while (_rows.Count < _settings.Epochs)
        {
            var row = RunEpoch(_rows.Count, progress, cancellation);
            _rows.Add(row);
            beforeSaving?.Invoke();
            if (checkpoint is not null) Checkpoint.Write(checkpoint, _model, _optimiser, _rows);
            progress?.Report(ProgressOf(row.Epoch, 0, row.ClipsPerSecond, row));
        }
    }

    PretrainingRow RunEpoch(int epoch, IProgress<PretrainingProgress>? progress, CancellationToken cancellation)
    {
        manual_seed((long)(new CounterRandom(_seed, epoch).NextBits() >> 1));
        _model.train();
        var (sums, rate, step) = (new Sums(), 0.0, 0);
        Stopwatch watch = Stopwatch.StartNew(), sinceReport = Stopwatch.StartNew();
        var stepsPerEpoch = ClipBatches.PerEpoch(_data.Train.Count, _settings.BatchSize);
        var schedule = new Schedule(_settings.LearningRate, (long)_settings.Epochs * stepsPerEpoch, _settings.WarmupShare);
        foreach (var batch in ClipBatches.Training(_reader, _data.Train, [], _settings.BatchSize, _seed, epoch, cancellation: cancellation))
        {
            rate = schedule.At(((long)epoch * stepsPerEpoch) + step);
            Step(batch, epoch, step++, rate, sums);
            if (sinceReport.ElapsedMilliseconds >= 200)
            {
                sinceReport.Restart();
                progress?.Report(ProgressOf(epoch + 1, sums.Clips, sums.Clips / watch.Elapsed.TotalSeconds, null));
            }
            cancellation.ThrowIfCancellationRequested();
        }
        var seconds = watch.Elapsed.TotalSeconds;
        var held = _settings.ValidatesAfter(epoch) && _data.Validation.Count > 0 ? Validate(cancellation) : null;
        return new PretrainingRow(
            epoch + 1, seconds, sums.Clips, rate, sums.Nce, sums.Mse, sums.Accuracy, held?.Nce, held?.Mse, held?.Accuracy);
    }

    void Step(ClipBatch batch, int epoch, int step, double learningRate, Sums sums)
    {
        using var scope = NewDisposeScope();
        var features = FeaturesOf(batch);                                                   // (B, 1, rows, frames)
        var (nce, accuracy) = _model.Discriminate(features, Masks(Pass.Discriminate));
        nce.backward();                                                                     // at once, so that one pass at a time is in memory
        var mse = _model.Reconstruct(features, Masks(Pass.Reconstruct));
        mse.mul(_reconstructionWeight).backward();
        var (nceValue, mseValue) = (nce.item<float>(), mse.item<float>());
        var norm = _optimiser.Step(learningRate, _settings.ClipNorm);
        if (!float.IsFinite(nceValue + mseValue) || !double.IsFinite(norm))
            throw new InvalidOperationException(
                $"Pretraining of {_model.ModelName} diverged in epoch {epoch + 1}, step {step + 1} (InfoNCE {nceValue}, squared error {mseValue}, " +
                $"gradient norm {norm}). Lower training.learning_rate, or set training.clip_norm.");
        sums.Add(batch.Count, nceValue, mseValue, accuracy.item<float>());

        Tensor Masks(Pass pass) => MasksOf(batch, _masks, id => new CounterRandom(_seed, KeyOfMask, epoch, CounterRandom.KeyOf(id), (long)pass));
    }

    /// <summary>Mean losses on the held-out stretches, with masks that are the same in every epoch and of every seed.</summary>
    Sums Validate(CancellationToken cancellation)
    {
        var sums = new Sums();
        _model.eval();
        try
        {
            using var noGradient = no_grad();
            foreach (var batch in ClipBatches.Evaluation(_reader, _data.Validation, [], _settings.BatchSize, maxWindows: 1, cancellation: cancellation))
            {
                using var scope = NewDisposeScope();
                var features = FeaturesOf(batch);
                var (nce, accuracy) = _model.Discriminate(features, Masks(batch, Pass.Discriminate));
                var mse = _model.Reconstruct(features, Masks(batch, Pass.Reconstruct));
                sums.Add(batch.Count, nce.item<float>(), mse.item<float>(), accuracy.item<float>());
            }
        }
        finally
        {
            _model.train();
        }
        return sums;

        Tensor Masks(ClipBatch batch, Pass pass) =>
            MasksOf(batch, _validationMasks, id => new CounterRandom(0, KeyOfMask, CounterRandom.KeyOf(id), (long)pass));
    }

    static readonly long KeyOfMask = CounterRandom.KeyOf("cluster-mask");

    Tensor FeaturesOf(ClipBatch batch)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return _frontEnd.forward(tensor(batch.Samples, [batch.Count, batch.WindowSamples])).MoveToOuterDisposeScope();
    }

    /// <summary>(B, k) int64.</summary>
    static Tensor MasksOf(ClipBatch batch, ClusterMasks masks, Func<string, CounterRandom> random) =>
        tensor(batch.Ids.SelectMany(id => masks.Draw(random(id))).ToArray(), [batch.Count, masks.Hidden]);

    PretrainingProgress ProgressOf(int epoch, long clips, double clipsPerSecond, PretrainingRow? finished) => new(
        epoch, _settings.Epochs, _rows.Sum(r => r.Clips) + clips, (long)_settings.Epochs * _data.Train.Count, clipsPerSecond, finished);

    /// <summary>Means over clips of what batches gave.</summary>
    sealed class Sums
    {
        double _nce, _mse, _accuracy;

        public long Clips { get; private set; }

        public double Nce => _nce / Clips;

        public double Mse => _mse / Clips;

        public double Accuracy => _accuracy / Clips;

        public void Add(int clips, double nce, double mse, double accuracy)
        {
            Clips += clips;
            (_nce, _mse, _accuracy) = (_nce + (nce * clips), _mse + (mse * clips), _accuracy + (accuracy * clips));
        }
    }
}
