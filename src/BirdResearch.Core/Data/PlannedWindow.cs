namespace BirdResearch.Data;

/// <summary>A window to be read: at a given place, or at a random one.</summary>
/// <param name="Clip">The clip it is cut from.</param>
/// <param name="Offset">Samples after the clip's start, where no random number decides.</param>
/// <param name="Random">Draws the place; null takes <paramref name="Offset"/>.</param>
readonly record struct PlannedWindow(Clip Clip, long Offset, CounterRandom? Random = null);
