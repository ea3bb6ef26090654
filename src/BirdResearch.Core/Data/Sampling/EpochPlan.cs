using System.Runtime.ExceptionServices;

namespace BirdResearch.Data;

/// <summary>The windows of a training epoch in their order: a pure function of seed, epoch, settings and the clips.</summary>
static class EpochPlan
{
    /// <summary>How many windows an epoch has; the same in every epoch.</summary>
    public static int Count(WindowReader reader, IReadOnlyList<Clip> clips, SamplingSettings sampling, long seed) =>
        sampling.Window == WindowChoice.All
            ? Units(reader, clips, sampling, seed, 0).Count
            : ClassQuota.Count(clips, sampling.MostPerClass, sampling.LeastPerClass);

    /// <summary>The windows of an epoch. Repeats of a clip differ in <see cref="SampleKey.Draw"/>.</summary>
    public static PlannedWindow[] Of(
        WindowReader reader, IReadOnlyList<Clip> clips, LabelRule labels, SamplingSettings sampling, long seed, int epoch, NoCallWindows? noCall = null)
    {
        var units = Units(reader, clips, sampling, seed, epoch);
        if (sampling.Balance != ClassBalance.None)
        {
            units = [.. units.OrderBy(u => u.Clip.Id, StringComparer.Ordinal).ThenBy(u => u.Offset)];
            var weights = ClassWeights.Of([.. units.Select(u => labels.Present(u.Clip))], sampling.Balance, sampling.BalanceBeta);
            var random = new CounterRandom(seed, CounterRandom.KeyOf("balance"), epoch);
            units = [.. ClassWeights.Draw(weights, random).Order().Select(i => units[i])];
        }
        var draws = new Dictionary<string, int>();
        var drawn = units.Select(u =>
        {
            var draw = draws[u.Clip.Id] = draws.GetValueOrDefault(u.Clip.Id, -1) + 1;
            return new PlannedWindow(u.Clip, u.Offset, new SampleKey(seed, epoch, u.Clip.Id, draw));
        }).ToList();
        return [.. (noCall?.Among(drawn, seed, epoch) ?? drawn).OrderBy(w => w.Key!.Value.RandomFor("order").NextBits())
            .ThenBy(w => w.Clip.Id, StringComparer.Ordinal).ThenBy(w => w.Key!.Value.Draw)];
    }

    /// <summary>Where a planned window begins, in samples after its clip does.</summary>
    public static long Place(WindowReader reader, PlannedWindow window, SamplingSettings sampling)
    {
        if (window.Key is not { } key || (sampling.Window == WindowChoice.All && !window.Anywhere)) return window.Offset;
        if (sampling.Window == WindowChoice.First && !window.Anywhere) return 0;
        var room = Math.Max(0, reader.LengthOf(window.Clip) - reader.WindowSamples);
        if (room > 0 && !window.Anywhere && sampling.Window is WindowChoice.Loudest or WindowChoice.Detected)
        {
            var activity = reader.ActivityOf(window.Clip, sampling.LowHz, sampling.HighHz);
            if (sampling.Window == WindowChoice.Loudest) return activity.Loudest(reader.WindowSamples, room);
            if (activity.Around(key.RandomFor("window"), reader.WindowSamples, room) is { } place) return place;
        }
        return key.RandomFor("window").NextLong(room + 1);
    }

    /// <summary>What the epoch takes before classes are balanced: recordings, or all their windows.</summary>
    static IReadOnlyList<(Clip Clip, long Offset)> Units(WindowReader reader, IReadOnlyList<Clip> clips, SamplingSettings sampling, long seed, int epoch)
    {
        var all = sampling.Window == WindowChoice.All;
        var taken = ClassQuota.Of(clips, sampling.MostPerClass, sampling.LeastPerClass, seed, all ? 0 : epoch);
        if (!all) return [.. taken.Select(clip => (clip, 0L))];
        MeasureAll(reader, taken);
        return [.. taken.SelectMany(clip => Cover(reader.LengthOf(clip), reader.WindowSamples).Select(offset => (clip, offset)))];
    }

    /// <summary>As few windows as cover a clip, evenly spread: the first begins with it, the last ends with it.</summary>
    static IEnumerable<long> Cover(long length, int window)
    {
        var (room, count) = (Math.Max(0, length - window), Math.Max(1, (length + window - 1) / window));
        for (var i = 0L; i < count; i++) yield return count == 1 ? 0 : i * room / (count - 1);
    }

    /// <summary>Reads the headers on all cores, since there can be tens of thousands.</summary>
    static void MeasureAll(WindowReader reader, IReadOnlyList<Clip> clips)
    {
        try
        {
            Parallel.ForEach(clips, clip => reader.LengthOf(clip));
        }
        catch (AggregateException e)
        {
            ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);
        }
    }
}
