namespace BirdResearch.Claims;

/// <summary>What a claim's file says.</summary>
public sealed record ClaimNote
{
    /// <summary>Who took it.</summary>
    public ClaimHolder Holder { get; init; } = new();

    /// <summary>What became of it.</summary>
    public ClaimState State { get; init; } = ClaimState.Held;

    /// <summary>When it was taken, UTC by the holder's clock.</summary>
    public DateTime Since { get; init; }

    /// <summary>Workers of this session that died while they held it.</summary>
    public int Deaths { get; init; }

    /// <summary>Why the work failed; empty unless it did.</summary>
    public string Message { get; init; } = "";

    /// <summary>Counts the signs of life.</summary>
    public long Beat { get; init; }

    /// <summary>When the last sign of life was given, UTC by the holder's clock; for readers only, since clocks differ.</summary>
    public DateTime LastBeat { get; init; }
}
