namespace BirdResearch.Data;

/// <summary>One labelled recording as a layout's csv lists it.</summary>
/// <param name="Folder">Folder of all recordings, relative to the root.</param>
/// <param name="Path">Path below that folder, in plain form.</param>
/// <param name="Labels">Its classes, the primary one first.</param>
/// <param name="Secondary">Classes heard in the background.</param>
/// <param name="Source">Author or original that a split should not divide; null where unknown.</param>
/// <param name="Fold">The fold that was given, if any.</param>
/// <param name="Facts">What else is known.</param>
sealed record FocalRow(
    string Folder,
    string Path,
    IReadOnlyList<string> Labels,
    IReadOnlyList<string> Secondary,
    string? Source,
    int? Fold,
    RecordingFacts Facts)
{
    /// <summary>The file's name without folder and extension, which names the original recording.</summary>
    public string Stem { get; } = System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Path below the data set's root.</summary>
    public string File => $"{Folder}/{Path}";
}
