namespace BirdResearch.Data;

/// <summary>Where windows come from that count as holding none of the classes.</summary>
public enum NoCallSource
{
    /// <summary>The data set's recordings that are known to hold none, in its folder <c>nocall/</c>.</summary>
    Recordings,

    /// <summary>
    /// Its soundscapes without labels, taken to hold none. Only where that is likely: a rare song in them becomes a wrong label. Those of
    /// <c>synthetic-birds</c> are full of its species.
    /// </summary>
    Unlabelled,
}
