namespace BirdResearch.Training;

/// <summary>Whose statistics the batch norms take when the soundscape domain is scored.</summary>
public enum AdaptedNorms
{
    /// <summary>Those of training.</summary>
    None,

    /// <summary>Estimated anew on soundscapes without labels (AdaBN, Li et al. 2016).</summary>
    Unlabelled,

    /// <summary>Those of the recording that is being scored, mixed with those of training (Schneider et al. 2020).</summary>
    Batch,
}
