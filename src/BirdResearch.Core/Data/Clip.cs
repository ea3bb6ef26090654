namespace BirdResearch.Data;

/// <summary>A labelled stretch of sound: a whole focal recording, or one window of a soundscape.</summary>
public sealed record Clip
{
    /// <summary>
    /// Unique within the data set: the file's stem (with its folder where two files share a stem), or a <c>row_id</c>
    /// (<c>stem_endSecond</c>) for a soundscape window.
    /// </summary>
    public required string Id { get; init; }

    /// <summary>Path below the data set's root, with forward slashes.</summary>
    public required string File { get; init; }

    /// <summary>Classes that are heard, the primary one first; empty when no class is (nocall).</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>Classes that may be heard in the background as well.</summary>
    public IReadOnlyList<string> SecondaryLabels { get; init; } = [];

    /// <summary>
    /// How surely each class of the data set is heard, in its order, in [0, 1], where a model said so: what is learned in place of the labels. Null where
    /// the labels say it.
    /// </summary>
    public IReadOnlyList<float>? Targets { get; init; }

    /// <summary>
    /// What a split must not divide: an author, a source, or the recording itself. Where the given folds divide an author, it is
    /// that author's share of one fold (<c>author/fold1</c>).
    /// </summary>
    public required string Group { get; init; }

    /// <summary>The fold that the data set's authors gave, if any.</summary>
    public int? Fold { get; init; }

    /// <summary>Where the stretch begins, in seconds from the start of the file.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Length of the stretch in seconds; null means to the end of the file.</summary>
    public double? Seconds { get; init; }

    /// <summary>Author, licence, place and quality, where the data set gives them.</summary>
    public RecordingFacts Facts { get; init; } = RecordingFacts.None;
}
