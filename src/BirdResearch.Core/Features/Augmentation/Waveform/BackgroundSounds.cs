using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// Backgrounds from a data set: its soundscapes without labels, or other training recordings. Never from a soundscape with labels, which is
/// what a model is tested on, nor from a recording that is held out.
/// </summary>
public sealed class BackgroundSounds : IBackgroundSounds
{
    readonly WindowReader _reader;
    readonly IReadOnlyList<Clip> _clips;

    BackgroundSounds(WindowReader reader, IReadOnlyList<Clip> clips) => (_reader, _clips) = (reader, clips);

    /// <summary>The files that backgrounds are cut from, below the data set's root.</summary>
    public IReadOnlyList<string> Files => [.. _clips.Select(c => c.File)];

    /// <summary>The sounds that the settings ask for; null where the probability is 0. A data set that has none is an error.</summary>
    public static BackgroundSounds? Of(BackgroundSettings settings, Dataset data, Split split, WindowReader reader) =>
        settings.Probability > 0 ? new(reader, Clips(settings, data, split)) : null;

    /// <summary>Throws where the settings ask for backgrounds that the data set does not have.</summary>
    public static void Check(BackgroundSettings settings, Dataset data, Split split)
    {
        if (settings.Probability > 0) _ = Clips(settings, data, split);
    }

    /// <inheritdoc/>
    public void Read(CounterRandom random, string clip, Span<float> window)
    {
        var index = random.NextInt(_clips.Count);
        var chosen = _clips[index].Id == clip ? _clips[(index + 1) % _clips.Count] : _clips[index];
        var places = Math.Max(1, _reader.LengthOf(chosen) - _reader.WindowSamples + 1);
        _reader.Read(chosen, (long)(random.NextDouble() * places), window);
    }

    static IReadOnlyList<Clip> Clips(BackgroundSettings settings, Dataset data, Split split)
    {
        if (settings.Source == BackgroundSource.Training)
        {
            var kept = data.Soundscapes.Concat(split.Validation).Select(c => c.File).ToHashSet();
            return split.Train.Count(c => !kept.Contains(c.File)) > 1
                ? [.. split.Train.Where(c => !kept.Contains(c.File))]
                : throw new ArgumentException(
                    $"training.augmentation.background.source is training, but '{data.Name}' has only {split.Train.Count} training recordings; it takes two.");
        }
        var clips = UnlabelledSoundscapes.Of(data, split);
        return clips.Count > 0 ? clips : throw new ArgumentException(
            FormattableString.Invariant($"training.augmentation.background.probability is {settings.Probability}, but '{data.Name}' has no soundscapes without labels ") +
            "to take backgrounds from. Put some into its unlabeled_soundscapes/, or set training.augmentation.background.source=training " +
            "(other training recordings), or the probability to 0.");
    }
}
