namespace BirdResearch.Data;

/// <summary>A window to be read: at a given place, or where <see cref="SamplingSettings.Window"/> puts it.</summary>
/// <param name="Clip">The clip it is cut from.</param>
/// <param name="Offset">Samples after the clip's start, where the place is given.</param>
/// <param name="Key">Draws the place and what changes the window; null, in evaluation, takes <paramref name="Offset"/> and changes nothing.</param>
/// <param name="Anywhere">Whether every place is equally likely, whatever the settings say.</param>
readonly record struct PlannedWindow(Clip Clip, long Offset, SampleKey? Key = null, bool Anywhere = false);
