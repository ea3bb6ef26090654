using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>
/// One change of a window of samples in place, on the threads that read. A sample's random numbers belong to it and to this augmentation alone,
/// so what one does to a sample does not depend on which others are switched on, nor on the batch, nor on the threads.
/// </summary>
public abstract class WindowAugmentation
{
    readonly double _probability;

    /// <param name="name">Its name among <see cref="AugmentationCounts"/>; its JSON path has underscores for the dashes.</param>
    /// <param name="probability">Probability that a sample is changed.</param>
    protected WindowAugmentation(string name, double probability)
    {
        (Title, Path, _probability) = (name, name.Replace('-', '_'), probability);
        AugmentationRange.Check($"{Path}.probability", probability, 0, 1);
    }

    /// <summary>Its name among <see cref="AugmentationCounts"/>.</summary>
    public string Title { get; }

    /// <summary>Its path below <c>training.augmentation</c>.</summary>
    protected string Path { get; }

    /// <summary>Offers it one window, which it changes with its probability.</summary>
    public void Apply(SampleKey key, Span<float> window, AugmentationCounts counts)
    {
        var random = key.RandomFor(Title);
        counts.Add(key, Title, random.NextDouble() < _probability && Change(key, random, window));
    }

    /// <summary>Changes the window; false where there is nothing to change, as with an SNR of digital silence.</summary>
    protected abstract bool Change(SampleKey key, CounterRandom random, Span<float> window);

    /// <summary>The range check for both ends of a range.</summary>
    protected void CheckRange(string lowSetting, double lowValue, string highSetting, double highValue, double low, double high) =>
        AugmentationRange.Check($"{Path}.{lowSetting}", lowValue, $"{Path}.{highSetting}", highValue, low, high);
}
