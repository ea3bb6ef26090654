namespace BirdResearch.Data;

/// <summary>A data set that can be opened by name, or could be if it were here.</summary>
/// <param name="Name">What to pass to <see cref="Datasets.Open"/>.</param>
/// <param name="Where">Its folder, or where it would have to be put.</param>
/// <param name="Layout"><c>birdclef</c> or <c>esc</c>.</param>
/// <param name="Present">Whether it is there now.</param>
/// <param name="About">One line about it.</param>
public sealed record DatasetEntry(string Name, string Where, string Layout, bool Present, string About);
