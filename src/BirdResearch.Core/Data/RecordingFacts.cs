namespace BirdResearch.Data;

/// <summary>What the data set says about a recording besides its labels; nothing here is used in training.</summary>
public sealed record RecordingFacts
{
    /// <summary>No fact is known.</summary>
    public static RecordingFacts None { get; } = new();

    /// <summary>Who recorded it.</summary>
    public string? Author { get; init; }

    /// <summary>The licence it is under, as the data set words it.</summary>
    public string? License { get; init; }

    /// <summary>Where it was published.</summary>
    public string? Url { get; init; }

    /// <summary>Kinds of vocalisation and other remarks, such as <c>song</c>, <c>call</c>, <c>male</c>.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];

    /// <summary>Degrees north, where known.</summary>
    public double? Latitude { get; init; }

    /// <summary>Degrees east, where known.</summary>
    public double? Longitude { get; init; }

    /// <summary>Quality from 0.5 (worst) to 5 (best), where somebody rated it.</summary>
    public double? Rating { get; init; }
}
