namespace BirdResearch.Data;

/// <summary>How many classes a clip may have at once.</summary>
public enum Labelling
{
    /// <summary>Any number, none included: one yes or no per class (BirdCLEF).</summary>
    MultiLabel,

    /// <summary>Exactly one (ESC).</summary>
    SingleLabel,
}

/// <summary>A labelled collection of recordings, read from its own layout by <c>Datasets</c>.</summary>
public sealed record Dataset
{
    /// <summary>Short kebab-case name, such as <c>synthetic-birds</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Absolute folder that every <see cref="Clip.File"/> lies in.</summary>
    public required string Root { get; init; }

    /// <summary>The layout it was read from: <c>birdclef</c> or <c>esc</c>.</summary>
    public required string Layout { get; init; }

    /// <summary>Class names in ordinal order; a model's output follows this order.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Readable names by class, where the data set gives them.</summary>
    public IReadOnlyDictionary<string, string> CommonNames { get; init; } = new Dictionary<string, string>();

    /// <summary>Whole labelled recordings, to train and validate on.</summary>
    public required IReadOnlyList<Clip> Focal { get; init; }

    /// <summary>Labelled windows of soundscapes, to test on; never trained on.</summary>
    public IReadOnlyList<Clip> Soundscapes { get; init; } = [];

    /// <summary>Soundscape files without labels, relative to <see cref="Root"/>.</summary>
    public IReadOnlyList<string> Unlabelled { get; init; } = [];

    /// <summary>Files known to hold none of the classes (<c>nocall/</c>), relative to <see cref="Root"/>.</summary>
    public IReadOnlyList<string> NoCall { get; init; } = [];

    /// <summary>One label per clip, or many.</summary>
    public required Labelling Labelling { get; init; }

    /// <summary>What <see cref="Clip.Group"/> holds here: <c>fold</c>, <c>author</c> or <c>recording</c>.</summary>
    public required string GroupedBy { get; init; }

    /// <summary>
    /// SHA-256 (hex) over the rows that were read and the sizes of their files; it does not depend on where the folder lies.
    /// </summary>
    public required string ContentKey { get; init; }

    /// <summary>What a reader should know: files that are missing and were left out, labels outside the classes, and the like.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Files that the tables name and that are not used: missing, empty, or on the quarantine list.</summary>
    public IReadOnlyList<LeftOutFile> LeftOut { get; init; } = [];

    /// <summary>Absolute path of a clip's file.</summary>
    public string PathOf(Clip clip) => Path.Combine(Root, clip.File);
}
