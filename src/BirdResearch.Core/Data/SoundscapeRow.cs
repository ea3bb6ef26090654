namespace BirdResearch.Data;

/// <summary>The truth of one soundscape window, as a csv gives it.</summary>
/// <param name="Id">The row's name, <c>stem_endSecond</c>.</param>
/// <param name="Stem">Name of the soundscape without extension.</param>
/// <param name="EndSecond">Where the window ends, in seconds from the start of the file.</param>
/// <param name="Labels">What is heard in it.</param>
sealed record SoundscapeRow(string Id, string Stem, double EndSecond, IReadOnlyList<string> Labels);
