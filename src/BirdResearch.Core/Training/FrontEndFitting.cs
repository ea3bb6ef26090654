using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Models;
using static TorchSharp.torch;

namespace BirdResearch.Training;

/// <summary>
/// Gives a front-end that has to be fitted its state: from the file of its run, or from the training side of the split and, where bands are
/// matched, from the data set's soundscapes without labels.
/// </summary>
public static class FrontEndFitting
{
    /// <summary>Name of the file that holds a fitted front-end's state, beside the run's weights.</summary>
    public const string FileName = "front_end.safetensors";

    const int BatchSize = 8;

    /// <summary>
    /// Does nothing for a front-end that is ready. Else loads the file where it exists, and where not fits the front-end and writes it. The
    /// windows are drawn like those of training epochs, as many as the front-end asks for, without augmentation: a pure function of the
    /// seed and of the recordings.
    /// </summary>
    public static void Prepare(
        FrontEnd frontEnd, WindowReader reader, Dataset data, Split split, int seed, string? file, CancellationToken cancellation = default)
    {
        if (frontEnd.IsFitted) return;
        if (file is not null && File.Exists(file))
        {
            Load(frontEnd, file);
            return;
        }
        frontEnd.Fit(
            TrainingSound.Batches(reader, data, split, seed, frontEnd.FitClips, cancellation),
            frontEnd.NeedsTarget ? TargetSound(reader, Target(data, split), seed, frontEnd.FitClips, cancellation) : null);
        if (file is not null) Save(frontEnd, file);
    }

    /// <summary>Throws where a front-end asks for sound that the data set does not have.</summary>
    public static void Check(FrontEndSettings settings, Dataset data, Split split)
    {
        if (settings.BandMatching != BandMatching.None) _ = Target(data, split);
    }

    /// <summary>Writes the state; beside the file first, so that it is whole or not there.</summary>
    public static void Save(FrontEnd frontEnd, string file) => Safetensors.Write(file, StateDictionary.Of(frontEnd));

    /// <summary>Loads a state that <see cref="Save"/> wrote; one of other settings is an error that names what differs.</summary>
    public static void Load(FrontEnd frontEnd, string file)
    {
        using var scope = NewDisposeScope();
        using var off = no_grad();
        using var saved = Safetensors.Open(file);
        var shapes = saved.Entries.ToDictionary(e => e.Key, e => e.Shape);
        var state = StateDictionary.Of(frontEnd);
        foreach (var (key, target) in state)
            if (!shapes.TryGetValue(key, out var shape) || !shape.SequenceEqual(target.shape))
                throw new InvalidDataException(
                    $"'{file}' is the state of another front-end: it has no '{key}' of shape ({string.Join(", ", target.shape)}). " +
                    "Make the front-end with the settings of its run, or delete the file to have it fitted again.");
        foreach (var (key, target) in state) target.copy_(saved.Read(key));
    }

    static IReadOnlyList<Clip> Target(Dataset data, Split split) => UnlabelledSoundscapes.Of(data, split) is { Count: > 0 } clips
        ? clips
        : throw new ArgumentException(
            $"features.band_matching brings training sound to the statistics of soundscapes without labels, but '{data.Name}' has none. " +
            "Put some into its unlabeled_soundscapes/, or set features.band_matching=none.");

    /// <summary>Batches (b, T) of soundscapes without labels until there were as many clips as wanted: windows at random places, every recording as often as any other to within one.</summary>
    static IEnumerable<Tensor> TargetSound(WindowReader reader, IReadOnlyList<Clip> soundscapes, int seed, int clips, CancellationToken cancellation)
    {
        var random = new CounterRandom(seed, CounterRandom.KeyOf("target sound"));
        var order = soundscapes.ToArray();
        random.Shuffle(order.AsSpan());
        var samples = new float[BatchSize * reader.WindowSamples];
        for (var given = 0; given < clips; given += BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var row = 0; row < BatchSize; row++)
            {
                var clip = order[(given + row) % order.Length];
                var places = Math.Max(1, reader.LengthOf(clip) - reader.WindowSamples + 1);
                reader.Read(clip, random.NextLong(places), samples.AsSpan(row * reader.WindowSamples, reader.WindowSamples));
            }
            using var sound = tensor(samples, [BatchSize, reader.WindowSamples]);
            yield return sound;
        }
    }
}
