using BirdResearch.Data;

namespace BirdResearch.Features;

/// <summary>How many clips a transform changed, of those it was offered.</summary>
public readonly record struct AugmentationCount(long Applied, long Offered);

/// <summary>
/// Counters of every transform over a training, to be kept with the run: an augmentation that never fires shows here. Any thread may count.
/// They are kept by the epoch of the sample, so that an epoch's counters are whole when it is, however far reading is ahead.
/// </summary>
public sealed class AugmentationCounts
{
    readonly Lock _gate = new();
    readonly Dictionary<(string Transform, int Epoch), AugmentationCount> _counts = [];

    /// <summary>The counters by the transform's name, as they are now.</summary>
    public IReadOnlyDictionary<string, AugmentationCount> All => Where(_ => true);

    /// <summary>The counters of the samples of one epoch, counted from 0.</summary>
    public IReadOnlyDictionary<string, AugmentationCount> OfEpoch(int epoch) => Where(e => e == epoch);

    /// <summary>The counter of one transform; zeros for one that was never offered anything.</summary>
    public AugmentationCount Of(string transform) => All.GetValueOrDefault(transform);

    /// <summary>Counts one sample that a transform was offered.</summary>
    public void Add(SampleKey key, string transform, bool applied) => Add(transform, key.Epoch, applied ? 1 : 0, 1);

    /// <summary>Puts back the counters of an epoch of an earlier sitting.</summary>
    public void Restore(int epoch, IReadOnlyDictionary<string, AugmentationCount> counts)
    {
        foreach (var (transform, count) in counts) Add(transform, epoch, count.Applied, count.Offered);
    }

    void Add(string transform, int epoch, long applied, long offered)
    {
        lock (_gate)
        {
            var count = _counts.GetValueOrDefault((transform, epoch));
            _counts[(transform, epoch)] = new(count.Applied + applied, count.Offered + offered);
        }
    }

    SortedDictionary<string, AugmentationCount> Where(Func<int, bool> epoch)
    {
        var sums = new SortedDictionary<string, AugmentationCount>(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var ((transform, at), count) in _counts)
            {
                if (!epoch(at)) continue;
                var sum = sums.GetValueOrDefault(transform);
                sums[transform] = new(sum.Applied + count.Applied, sum.Offered + count.Offered);
            }
        }
        return sums;
    }
}
