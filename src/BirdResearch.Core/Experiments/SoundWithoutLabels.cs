using BirdResearch.Data;
using BirdResearch.Features;
using BirdResearch.Training;

namespace BirdResearch.Experiments;

/// <summary>What a trial hears of a data set besides its labelled recordings. Where it hears any, other files make another run.</summary>
public static class SoundWithoutLabels
{
    /// <summary>Whether a trial hears soundscapes without labels or recordings without calls.</summary>
    public static bool IsHeardBy(Trial trial) => HearsSoundscapes(trial) || trial.Training.NoCall.Share > 0;

    /// <summary>SHA-256 (hex) over the names and sizes of the files that it may hear; null where it hears none.</summary>
    /// <param name="trial">A complete trial.</param>
    /// <param name="data">Its data set.</param>
    public static string? KeyOf(Trial trial, Dataset data)
    {
        if (!IsHeardBy(trial)) return null;
        var (soundscapes, recordings) = (HearsSoundscapes(trial), false);
        if (trial.Training.NoCall.Share > 0)
        {
            recordings = NoCallWindows.SourceOf(trial.Training.NoCall, data) == NoCallSource.Recordings;
            soundscapes |= !recordings;
        }
        return ContentKeys.OfFiles(data.Root, [.. soundscapes ? data.Unlabelled : [], .. recordings ? data.NoCall : []]);
    }

    static bool HearsSoundscapes(Trial trial) =>
        trial.Training.Adaptation.Norms == AdaptedNorms.Unlabelled
        || trial.Training.PseudoLabels.Rounds > 0
        || trial.Training.Augmentation.Background is { Probability: > 0, Source: BackgroundSource.Unlabelled }
        || trial.Features is { BandMatching: not BandMatching.None };
}
