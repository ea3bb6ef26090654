namespace BirdResearch.Data;

/// <summary>Something that lies on both sides of a split.</summary>
/// <param name="Kind"><c>recording</c> (one file name twice), <c>author</c>, or <c>test_source</c> (a recording that a soundscape is made of).</param>
/// <param name="What">The recording or the author.</param>
/// <param name="Folds">The folds that divide it; none for a test source, which is divided whatever the fold.</param>
/// <param name="Files">The files, of which some are on each side.</param>
public sealed record SplitLeak(string Kind, string What, IReadOnlyList<int> Folds, IReadOnlyList<string> Files);
