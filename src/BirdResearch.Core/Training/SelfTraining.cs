using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Metrics;
using BirdResearch.Models;

namespace BirdResearch.Training;

/// <summary>
/// A training in rounds, as <see cref="PseudoLabelSettings"/> says: models learn from labels and label the soundscapes, the next learn from both. Without
/// rounds it is one <see cref="Trainer"/>. Each training keeps its checkpoint until all are done, so that one that was stopped repeats no epoch and
/// comes to the same bits.
/// </summary>
public sealed class SelfTraining
{
    readonly FrontEnd _frontEnd;
    readonly Func<int, Classifier> _create;
    readonly WindowReader _reader;
    readonly Dataset _data;
    readonly Split _split;
    readonly TrainingSettings _settings;
    readonly int _seed;
    readonly List<Trainer> _trainers = [];
    readonly List<PseudoLabelRound> _rounds = [];
    readonly List<(int Round, PseudoLabel Label)> _labels = [];

    /// <param name="frontEnd">Sound to features.</param>
    /// <param name="create">Makes a model that has learned nothing yet of this data, from a seed.</param>
    /// <param name="reader">Reads windows of <paramref name="data"/> at the front-end's rate.</param>
    /// <param name="data">The data set.</param>
    /// <param name="split">Which recordings are trained on and which are held out.</param>
    /// <param name="settings">Training set-up of all rounds together.</param>
    /// <param name="seed">Seed of the first training; those of the others follow from it.</param>
    public SelfTraining(
        FrontEnd frontEnd, Func<int, Classifier> create, WindowReader reader, Dataset data, Split split, TrainingSettings settings, int seed)
    {
        Check(settings.PseudoLabels, data, split);
        (_frontEnd, _create, _reader, _data, _split, _settings, _seed) = (frontEnd, create, reader, data, split, settings, seed);
    }

    PseudoLabelSettings Settings => _settings.PseudoLabels;

    /// <summary>The last training, whose model is kept.</summary>
    public Trainer Last => _trainers[^1];

    /// <summary>Epochs of all trainings, counted on from one to the next.</summary>
    public IReadOnlyList<EpochRow> Rows =>
        [.. _trainers.SelectMany(t => t.Rows).Select((row, index) => row with { Epoch = index + 1 })];

    /// <summary>Optimiser steps of all trainings.</summary>
    public long Steps => _trainers.Sum(t => t.Steps);

    /// <summary>How often each augmentation was offered and applied, in all trainings.</summary>
    public IReadOnlyDictionary<string, AugmentationCount> Augmentations => new SortedDictionary<string, AugmentationCount>(
        _trainers.SelectMany(t => t.AugmentationCounts.All).GroupBy(c => c.Key)
            .ToDictionary(c => c.Key, c => new AugmentationCount(c.Sum(x => x.Value.Applied), c.Sum(x => x.Value.Offered))), StringComparer.Ordinal);

    /// <summary>Which weights the model holds, by epochs as <see cref="Rows"/> counts them.</summary>
    public KeptWeights Kept
    {
        get
        {
            var (kept, before) = (Last.Kept, _trainers.SkipLast(1).Sum(t => t.Rows.Count));
            return kept with { Epoch = kept.Epoch + before, Trained = kept.Trained + before, Planned = kept.Planned + before };
        }
    }

    /// <summary>What the rounds came to; empty without.</summary>
    public IReadOnlyList<PseudoLabelRound> Rounds => _rounds;

    /// <summary>The labels given, by round.</summary>
    public IReadOnlyList<(int Round, PseudoLabel Label)> Labels => _labels;

    /// <summary>Throws where the settings ask for what the data set does not have.</summary>
    public static void Check(PseudoLabelSettings settings, Dataset data, Split split)
    {
        if (settings.Rounds > 0 && UnlabelledSoundscapes.Of(data, split).Count == 0)
            throw new ArgumentException(
                $"training.pseudo_labels.rounds is {settings.Rounds}, but '{data.Name}' has no soundscapes without labels. {UnlabelledSoundscapes.HowToAdd(data)}, or set it to 0.");
    }

    /// <summary>Trains the model, with whatever other members its rounds ask for.</summary>
    /// <param name="model">What is kept; made by the same function from the first seed.</param>
    /// <param name="checkpoint">File of the last training's checkpoint; those of earlier ones lie beside it, under its name and more. Null keeps none.</param>
    /// <param name="progress">Called a few times a second and after every epoch, with how far the training under way is.</param>
    /// <param name="note">Called with what a reader should know.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <param name="beforeSaving">Called before a checkpoint is renewed; throws where that may not be done any more.</param>
    public void Run(
        Classifier model, string? checkpoint = null, IProgress<TrainingProgress>? progress = null, Action<string>? note = null,
        CancellationToken cancellation = default, Action? beforeSaving = null)
    {
        List<Classifier> others = [];
        try
        {
            for (var m = 1; m < Settings.Members && Settings.Rounds > 0; m++) others.Add(_create(SeedOf(0, m)));
            IReadOnlyList<Clip> pseudo = [];
            for (var round = 0; round < Settings.Rounds; round++)
            {
                var scores = new List<Scores>();
                var windows = UnlabelledSoundscapes.Windows(_data, _split, _reader, Settings.Windows, _seed);
                var seconds = 0.0;
                foreach (var (member, net) in others.Prepend(model).Index())
                {
                    if (round > 0 && Settings.Afresh) StartAfresh(net, SeedOf(round, member));
                    var trainer = Train(net, round, member, pseudo, Beside(checkpoint, round, member), progress, cancellation, beforeSaving);
                    var evaluation = trainer.Evaluate(windows, "unlabelled", cancellation: cancellation);
                    scores.Add(evaluation.Scores);
                    seconds += evaluation.Seconds;
                }
                pseudo = Choose(round + 1, windows, scores, seconds);
                note?.Invoke(_rounds[^1].ToString());
            }
            if (Settings.Rounds > 0 && Settings.Afresh) StartAfresh(model, SeedOf(Settings.Rounds, 0));
            Train(model, Settings.Rounds, 0, pseudo, checkpoint, progress, cancellation, beforeSaving);
        }
        finally
        {
            foreach (var other in others) other.Dispose();
        }
    }

    IReadOnlyList<Clip> Choose(int round, IReadOnlyList<Clip> windows, IReadOnlyList<Scores> scores, double seconds)
    {
        var threshold = Settings.ThresholdOf(round);
        var labels = PseudoLabel.Of(windows, scores, Settings, threshold);
        var perClass = labels.CountBy(l => l.Window.Labels[0]).OrderBy(c => c.Key, StringComparer.Ordinal).ToDictionary();
        var highest = Enumerable.Range(0, scores[0].Values.Length).Max(i => scores.Average(s => s.Values[i]));
        _rounds.Add(new(round, scores.Count, threshold, windows.Count, labels.Count, highest, perClass, _trainers.Sum(t => t.Rows.Count) + 1, seconds));
        _labels.AddRange(labels.Select(label => (round, label)));
        return [.. labels.Select(l => l.Window)];
    }

    Trainer Train(
        Classifier net, int round, int member, IReadOnlyList<Clip> pseudo, string? checkpoint, IProgress<TrainingProgress>? progress,
        CancellationToken cancellation, Action? beforeSaving)
    {
        var settings = _settings with { Budget = PartOfBudget() };
        // What chooses epochs, and what is drawn of the curve, is the last training's.
        if (round < Settings.Rounds) settings = settings with { EvaluateEvery = int.MaxValue, Stopping = new() };
        var trainer = new Trainer(
            _frontEnd, net, _reader, _data, _split, settings, SeedOf(round, member), new EpochClips(_split.Train, pseudo, Settings.Share, SeedOf(round, member)));
        trainer.Run(checkpoint, progress, cancellation, beforeSaving);
        _trainers.Add(trainer);
        return trainer;
    }

    /// <summary>The part of the budget that the next training has: equal parts, whole clips.</summary>
    Budget PartOfBudget()
    {
        var (budget, count, done) = (_settings.Budget, Settings.Trainings, _trainers.Count);
        if (count == 1) return budget;
        if (budget.Unit is BudgetUnit.Seconds or BudgetUnit.MultiplyAdds) return budget with { Amount = budget.Amount / count };
        var clips = (long)budget.Amount * (budget.Unit == BudgetUnit.Epochs ? _split.Train.Count : 1);
        var part = ((done + 1) * clips / count) - (done * clips / count);
        return part >= 2 ? Budget.OfClips(part) : throw new ArgumentException(
            $"training.budget is {budget}, which {count} trainings (training.pseudo_labels: {Settings.Members} x {Settings.Rounds} + 1) share: it must be enough for two clips each.");
    }

    int SeedOf(int round, int member) => round == 0 && member == 0
        ? _seed
        : (int)(new CounterRandom(_seed, CounterRandom.KeyOf("pseudo-labels"), round, member).NextBits() >> 33);

    void StartAfresh(Classifier net, int seed)
    {
        using var fresh = _create(seed);
        foreach (var (to, from) in StateDictionary.Of(net).Zip(StateDictionary.Of(fresh))) from.Tensor.bytes.CopyTo(to.Tensor.bytes);
    }

    static string? Beside(string? checkpoint, int round, int member) =>
        checkpoint is null ? null : Path.ChangeExtension(checkpoint, FormattableString.Invariant($".round{round}-{member + 1}{Path.GetExtension(checkpoint)}"));
}
