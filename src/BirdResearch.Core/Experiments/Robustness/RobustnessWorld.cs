using BirdResearch.Data;
using BirdResearch.Metrics;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>
/// The world that a run was trained in, with the same species and the same scenes at other levels of a knob: soundscapes to score its weights
/// on, without training again. They are made when first asked for and kept in a folder of their own.
/// </summary>
public sealed class RobustnessWorld
{
    readonly SyntheticBirdsSettings _world;
    readonly string _folder;

    /// <param name="data">The data set that the run was trained on; one that <see cref="SyntheticBirds"/> did not make is an error.</param>
    /// <param name="folder">Where the soundscapes are kept; null takes <c>data/robustness</c>.</param>
    /// <param name="soundscapes">How many soundscapes a level has; null takes as many as the data set.</param>
    public RobustnessWorld(Dataset data, string? folder = null, int? soundscapes = null)
    {
        var world = SyntheticBirds.SettingsOf(data.Root) ?? throw new ArgumentException(
            $"'{data.Name}' is not a synthetic data set, so its distance, noise and overlap cannot be turned. Score a run that was trained on synthetic-birds, or on what 'bird synthetic' made.");
        _folder = folder ?? Path.Combine(Folders.Data, "robustness");
        _world = world with
        {
            Soundscapes = soundscapes ?? world.Soundscapes,
            RecordingsPerSpecies = 1,               // not trained on: as few as there can be
            UnlabelledSoundscapes = 0,
            NoCallRecordings = 0,
        };
        if (_world.Soundscapes < 1) throw new ArgumentException($"A level has {_world.Soundscapes} soundscapes; it takes at least one.");
    }

    /// <summary>The world at a level of a knob, made where it is not there.</summary>
    public Dataset At(SyntheticKnob knob, string value, IProgress<(int Done, int Total)>? progress = null, CancellationToken cancellation = default)
    {
        var settings = knob.At(_world, value);
        settings.Check();
        var folder = Path.Combine(_folder, $"{knob.Name}={value}-{RunIdentity.HashOf(settings)}");
        SyntheticBirds.Write(folder, settings, progress, cancellation);
        return Datasets.Open(folder);
    }

    /// <summary>What a run's model says about the soundscapes of a level.</summary>
    public static Scores Score(TrainedModel model, Dataset data, CancellationToken cancellation = default)
    {
        var training = model.Record.Trial.Training;
        var strange = data.Classes.Except(model.Card.Classes).ToList();
        if (strange.Count > 0)
            throw new ArgumentException($"{data.Root} has species that {model.Card.Name} does not know: {string.Join(", ", strange.Take(5))}. The run was trained in another world.");
        var reader = new WindowReader(data, model.FrontEnd.SampleRate, training.WindowSeconds);
        var loss = Loss.Named(training.Loss, data.Labelling, training.LabelSmoothing, training.Focal, training.Asymmetric);
        return Evaluation.Of(
            model.FrontEnd, model.Model, loss, reader, model.Card.Classes, data.Soundscapes, "soundscape", training.BatchSize, training.EvaluationWindows,
            cancellation: cancellation).Scores;
    }
}
