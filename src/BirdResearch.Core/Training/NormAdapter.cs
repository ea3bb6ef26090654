using System.Diagnostics;
using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// Brings the batch norms of a trained model to the soundscapes, as its settings say: before they are scored, or recording by recording while
/// they are. No label is looked at, and weights stay.
/// </summary>
public sealed class NormAdapter
{
    readonly TrainingSettings _settings;
    readonly FrontEnd _frontEnd;
    readonly Classifier _model;
    readonly WindowReader _reader;
    readonly Dataset _data;
    readonly Split _split;
    readonly int _seed;
    readonly NormStatistics _statistics;

    /// <param name="settings">Training set-up, <see cref="TrainingSettings.Adaptation"/> above all.</param>
    /// <param name="frontEnd">Sound to features.</param>
    /// <param name="model">Features to logits, trained.</param>
    /// <param name="reader">Reads windows of <paramref name="data"/> at the front-end's rate.</param>
    /// <param name="data">The data set.</param>
    /// <param name="split">What is held out.</param>
    /// <param name="seed">Of the order of windows.</param>
    public NormAdapter(TrainingSettings settings, FrontEnd frontEnd, Classifier model, WindowReader reader, Dataset data, Split split, int seed)
    {
        (_settings, _frontEnd, _model, _reader, _data, _split, _seed) = (settings, frontEnd, model, reader, data, split, seed);
        _statistics = new NormStatistics(model);
    }

    AdaptationSettings Settings => _settings.Adaptation;

    /// <summary>What was done; null where the settings ask for nothing.</summary>
    public AdaptationFacts? Facts { get; private set; }

    /// <summary>Throws where the settings ask for what that model or data set does not have.</summary>
    public static void Check(AdaptationSettings settings, string model, Dataset data, Split split)
    {
        if (settings.Norms == AdaptedNorms.None) return;
        var asked = $"training.adaptation.norms is {settings.Norms.ToString().ToLowerInvariant()}, but ";
        if (!Classifiers.Named(model).HasBatchNorm)
            throw new ArgumentException(
                $"{asked}{model} has no batch norm. The families that have are {string.Join(", ", ClassifierEntry.BatchNormFamilies)}; or set it to none.");
        if (settings.Norms == AdaptedNorms.Unlabelled && UnlabelledSoundscapes.Of(data, split).Count == 0)
            throw new ArgumentException($"{asked}'{data.Name}' has no soundscapes without labels. {UnlabelledSoundscapes.HowToAdd(data)}, or set it to none.");
        if (settings.Norms == AdaptedNorms.Batch && data.Soundscapes.Count == 0)
            throw new ArgumentException($"{asked}'{data.Name}' has no labelled soundscapes to score so. Set it to none.");
    }

    /// <summary>Estimates the statistics on soundscapes without labels, where that is asked for; the model then holds them.</summary>
    public void Adapt(CancellationToken cancellation = default)
    {
        if (Settings.Norms != AdaptedNorms.Unlabelled) return;
        var watch = Stopwatch.StartNew();
        var windows = UnlabelledSoundscapes.Windows(_data, _split, _reader, Settings.Windows, _seed);
        if (windows.Count < 2)
            throw new InvalidDataException(
                $"training.adaptation.norms is unlabelled, but the soundscapes without labels of '{_data.Name}' hold a single window. {UnlabelledSoundscapes.HowToAdd(_data)}.");
        var seen = _statistics.Estimate(Sound(windows, cancellation), _frontEnd.forward);
        Facts = new("unlabelled", _statistics.Norms, windows.Select(w => w.File).Distinct().Count(), (int)seen, watch.Elapsed.TotalSeconds, "adapted");
    }

    /// <summary>Scores clips of soundscapes as any clips are, each recording by its own statistics where that is asked for.</summary>
    /// <param name="loss">Makes scores of logits.</param>
    /// <param name="clips">Windows of soundscapes.</param>
    /// <param name="domain">Name of their domain.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    public Evaluation Evaluate(Loss loss, IReadOnlyList<Clip> clips, string domain, CancellationToken cancellation = default)
    {
        if (Settings.Norms != AdaptedNorms.Batch)
            return Evaluation.Of(
                _frontEnd, _model, loss, _reader, _data.Classes, clips, domain, _settings.BatchSize, _settings.EvaluationWindows, cancellation: cancellation);
        _statistics.PriorClips = Settings.PriorWindows;
        try
        {
            var evaluation = Evaluation.Of(_frontEnd, _model, loss, _data.Classes, clips, domain, null, () => ClipBatches.ByRecording(
                _reader, clips, _data.Classes, Settings.MostTogether, _settings.EvaluationWindows, cancellation: cancellation));
            Facts = new("batch", _statistics.Norms, clips.Select(c => c.File).Distinct().Count(), evaluation.Windows, 0, "source");
            return evaluation;
        }
        finally
        {
            _statistics.PriorClips = null;
        }
    }

    /// <summary>Windows (B, T), batch by batch; a single last window is left out, since it has no spread of its own.</summary>
    IEnumerable<Tensor> Sound(IReadOnlyList<Clip> windows, CancellationToken cancellation)
    {
        Clip[] whole = [.. windows.Take(windows.Count % _settings.BatchSize == 1 ? windows.Count - 1 : windows.Count)];
        foreach (var batch in ClipBatches.Evaluation(_reader, whole, _data.Classes, _settings.BatchSize, 1, cancellation: cancellation))
        {
            using var lent = batch;
            using var sound = tensor(batch.Samples, [batch.Count, batch.WindowSamples]);
            yield return sound;
        }
    }
}
