namespace BirdResearch.Data;

/// <summary>What a species that is only noted as heard in the background counts as, where it is one of the classes.</summary>
public enum SecondaryLabelRule
{
    /// <summary>Absent: target 0.</summary>
    Ignore,

    /// <summary>Not known: left out of the loss.</summary>
    Mask,

    /// <summary>Target 0.5.</summary>
    Half,

    /// <summary>Present: target 1.</summary>
    Full,
}
