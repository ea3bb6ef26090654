namespace BirdResearch.Features;

/// <summary>How many clips a transform changed, of those it was offered.</summary>
public readonly record struct AugmentationCount(long Applied, long Offered);

/// <summary>Counters of every transform over a training, to be kept with the run: an augmentation that never fires shows here. Any thread may count.</summary>
public sealed class AugmentationCounts
{
    readonly Lock _gate = new();
    readonly SortedDictionary<string, AugmentationCount> _counts = new(StringComparer.Ordinal);

    /// <summary>The counters by the transform's name, as they are now.</summary>
    public IReadOnlyDictionary<string, AugmentationCount> All
    {
        get
        {
            lock (_gate) return new SortedDictionary<string, AugmentationCount>(_counts, StringComparer.Ordinal);
        }
    }

    /// <summary>The counter of one transform; zeros for one that was never offered anything.</summary>
    public AugmentationCount Of(string transform)
    {
        lock (_gate) return _counts.GetValueOrDefault(transform);
    }

    /// <summary>Adds one batch, or the counters of an earlier part of a resumed training.</summary>
    public void Add(string transform, long applied, long offered)
    {
        lock (_gate)
        {
            var count = _counts.GetValueOrDefault(transform);
            _counts[transform] = new(count.Applied + applied, count.Offered + offered);
        }
    }
}
