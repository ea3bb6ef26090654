namespace BirdResearch.Features;

/// <summary>
/// What is matched, band by band, between the sound that is trained on and the soundscapes that a model is meant for: frequency-wise
/// statistics, after Mezza, Habets, Müller and Sarti 2021 (<i>Unsupervised domain adaptation for acoustic scene classification using
/// band-wise statistics matching</i>), who bring the target to the source; means alone are the spectrum correction of Kosmider 2019. Here
/// it is the other way round, so that what is deployed needs no statistics: training sound, and held-out recordings of its kind, are
/// brought to the statistics of the data set's soundscapes without labels. Soundscapes, and whatever an exported model hears, stay as
/// they are.
/// </summary>
public enum BandMatching
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Means: what recorder, place and habitat add to a band.</summary>
    Mean,

    /// <summary>Means and standard deviations.</summary>
    MeanAndDeviation,
}
