namespace BirdResearch.Features;

/// <summary>
/// What is matched, band by band, between the sound that is trained on and the soundscapes that a model is meant for: frequency-wise
/// statistics, as in the spectrum correction of Kosmider 2019 (<i>Calibrating neural networks for secondary recording devices</i>, DCASE),
/// which matches means in decibels. Training sound and held-out recordings of its kind are brought to the statistics of the data set's soundscapes without
/// labels; soundscapes, and whatever an exported model hears, stay as they are.
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
