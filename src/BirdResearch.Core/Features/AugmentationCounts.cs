namespace BirdResearch.Features;

/// <summary>How many clips a transform changed, of those it was offered.</summary>
public readonly record struct AugmentationCount(long Applied, long Offered);

/// <summary>Counters of every transform over a training, to be kept with the run: an augmentation that never fires shows here.</summary>
public sealed class AugmentationCounts
{
    readonly OrderedDictionary<string, AugmentationCount> _counts = [];

    /// <summary>The counters by the transform's name.</summary>
    public IReadOnlyDictionary<string, AugmentationCount> All => _counts;

    /// <summary>The counter of one transform; zeros for one that was never offered anything.</summary>
    public AugmentationCount Of(string transform) => _counts.GetValueOrDefault(transform);

    /// <summary>Adds one batch, or the counters of an earlier part of a resumed training.</summary>
    public void Add(string transform, long applied, long offered)
    {
        var count = Of(transform);
        _counts[transform] = new(count.Applied + applied, count.Offered + offered);
    }
}
