namespace BirdResearch.Inference;

/// <summary>What of its members an ensemble averages.</summary>
public enum EnsembleRule
{
    /// <summary>Probabilities.</summary>
    Probabilities,

    /// <summary>Logits, that is log odds: the geometric mean of odds, in which a sure member counts for more.</summary>
    Logits,

    /// <summary>
    /// Places among all rows, class by class, tied rows sharing their mean place: members of different confidence count alike. Depends on the
    /// rows that are scored together, so it is for whole test sets, not for a stream.
    /// </summary>
    Ranks,
}
