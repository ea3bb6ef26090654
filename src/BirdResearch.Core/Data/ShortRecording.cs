namespace BirdResearch.Data;

/// <summary>What fills a window when the recording, or the stretch of it, is shorter.</summary>
public enum ShortRecording
{
    /// <summary>
    /// The sound again from its start, as often as needed. The default, in training and evaluation alike: silence after a short clip is a
    /// mark of the recordist's editing that a model learns instead of the bird, and field recorders never write it.
    /// </summary>
    Repeat,

    /// <summary>Digital silence after the sound, as opensoundscape extends clips.</summary>
    SilenceAfter,

    /// <summary>Digital silence on both sides, the sound in the middle.</summary>
    SilenceAround,
}
