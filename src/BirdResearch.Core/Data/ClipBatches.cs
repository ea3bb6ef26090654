using System.Collections.Concurrent;
using System.Diagnostics;

namespace BirdResearch.Data;

/// <summary>
/// Batches of windows, decoded on worker threads ahead of the one who enumerates. What they hold and their order do not depend on
/// the threads. Leaving the loop early ends the threads; a file that cannot be read throws in the loop and names the file.
/// </summary>
public static class ClipBatches
{
    const long MostAheadBytes = 256L << 20;

    /// <summary>
    /// Batches of one training epoch: a trailing batch of a single clip joins the one before, since batch norm cannot learn from
    /// one.
    /// </summary>
    public static int PerEpoch(int clips, int batchSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 2);
        return Math.Max(1, clips / batchSize + (clips % batchSize > 1 ? 1 : 0));
    }

    /// <summary>Windows of one training epoch, the same in every epoch. Where every window is taken, the files' headers are read.</summary>
    /// <param name="reader">Cuts the windows.</param>
    /// <param name="clips">What to train on.</param>
    /// <param name="sampling">Which windows; null takes one of each clip.</param>
    /// <param name="seed">The experiment's seed.</param>
    public static int SamplesPerEpoch(WindowReader reader, IReadOnlyList<Clip> clips, SamplingSettings? sampling, long seed) =>
        sampling is null ? clips.Count : EpochPlan.Count(reader, clips, sampling, seed);

    /// <summary>
    /// One epoch in random order; unless <paramref name="sampling"/> says otherwise, one window of every clip, at a random place. Order and
    /// places follow from seed, epoch and the clips' ids alone, so that any epoch can be made again. Batches have <paramref name="batchSize"/> rows, the last one 2 to
    /// <paramref name="batchSize"/> + 1.
    /// </summary>
    /// <param name="reader">Cuts the windows.</param>
    /// <param name="clips">What to train on, at least two.</param>
    /// <param name="classes">Class names in the order of the label columns.</param>
    /// <param name="batchSize">Rows of a batch, at least 2.</param>
    /// <param name="seed">The experiment's seed.</param>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="sampling">Which windows, with which labels; null takes the defaults.</param>
    /// <param name="change">Changes each window once it is read; null leaves it.</param>
    /// <param name="workers">Decoding threads; null takes half of the cores.</param>
    /// <param name="cancellation">Ends the loop with an <see cref="OperationCanceledException"/>.</param>
    /// <param name="noCall">Windows without any class that take the place of some; null for none.</param>
    /// <param name="most">The first so many windows of the epoch's order, at least 2; null takes all.</param>
    public static IEnumerable<ClipBatch> Training(
        WindowReader reader, IReadOnlyList<Clip> clips, IReadOnlyList<string> classes, int batchSize, long seed, int epoch,
        WindowChange? change = null, int? workers = null, CancellationToken cancellation = default, SamplingSettings? sampling = null, int? most = null,
        NoCallWindows? noCall = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 2);
        sampling ??= new();
        sampling.Check();
        if (clips.Count < 2)
            throw new ArgumentException($"Training needs at least two clips, not {clips.Count}; batch norm cannot learn from one.");
        var rule = new LabelRule(clips, classes, sampling.SecondaryLabels);
        var windows = EpochPlan.Of(reader, clips, rule, sampling, seed, epoch, noCall);
        if (most is { } count && count < windows.Length)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 2, nameof(most));
            windows = windows[..count];
        }
        var batches = PerEpoch(windows.Length, batchSize);
        return Load(reader, batchSize, change, sampling, workers, rule, cancellation, Enumerable.Range(0, batches)
            .Select(b => windows[(b * batchSize)..(b == batches - 1 ? windows.Length : (b + 1) * batchSize)]));
    }

    /// <summary>
    /// Every clip in the given order, as windows that do not overlap: as many as fit, at most <paramref name="maxWindows"/>, spread evenly
    /// from the clip's start to its end; one for a clip shorter than two windows (its first), so that a soundscape window is read as it
    /// is. Scores of a clip are the mean over its rows. Nothing is random.
    /// </summary>
    /// <param name="reader">Cuts the windows.</param>
    /// <param name="clips">What to score.</param>
    /// <param name="classes">Class names in the order of the label columns.</param>
    /// <param name="batchSize">Rows of a batch; the windows of one clip can fall into two batches, and the last batch can be smaller.</param>
    /// <param name="maxWindows">Most windows of one clip.</param>
    /// <param name="workers">Decoding threads; null takes half of the cores.</param>
    /// <param name="cancellation">Ends the loop with an <see cref="OperationCanceledException"/>.</param>
    public static IEnumerable<ClipBatch> Evaluation(
        WindowReader reader, IReadOnlyList<Clip> clips, IReadOnlyList<string> classes, int batchSize, int maxWindows,
        int? workers = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batchSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxWindows);
        return Load(reader, batchSize, null, new(), workers, new LabelRule(clips, classes), cancellation, Windows(reader, clips, maxWindows).Chunk(batchSize));
    }

    /// <summary>
    /// The windows of <see cref="Evaluation"/>, a recording to a batch: clips of one file come together, in their order. A recording of more than
    /// <paramref name="mostTogether"/> windows is divided into equal parts.
    /// </summary>
    /// <param name="reader">Cuts the windows.</param>
    /// <param name="clips">What to score.</param>
    /// <param name="classes">Class names in the order of the label columns.</param>
    /// <param name="mostTogether">Most rows of a batch.</param>
    /// <param name="maxWindows">Most windows of one clip.</param>
    /// <param name="workers">Decoding threads; null takes half of the cores.</param>
    /// <param name="cancellation">Ends the loop with an <see cref="OperationCanceledException"/>.</param>
    public static IEnumerable<ClipBatch> ByRecording(
        WindowReader reader, IReadOnlyList<Clip> clips, IReadOnlyList<string> classes, int mostTogether, int maxWindows,
        int? workers = null, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(mostTogether);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxWindows);
        var parts = clips.GroupBy(clip => clip.File).SelectMany(recording =>
        {
            PlannedWindow[] windows = [.. Windows(reader, recording, maxWindows)];
            var count = (windows.Length + mostTogether - 1) / mostTogether;
            return Enumerable.Range(0, count).Select(i => windows[(i * windows.Length / count)..((i + 1) * windows.Length / count)]);
        });
        return Load(reader, mostTogether, null, new(), workers, new LabelRule(clips, classes), cancellation, parts);
    }

    static IEnumerable<PlannedWindow> Windows(WindowReader reader, IEnumerable<Clip> clips, int maxWindows) =>
        clips.SelectMany(clip => Offsets(reader, clip, maxWindows).Select(offset => new PlannedWindow(clip, offset)));

    static IEnumerable<long> Offsets(WindowReader reader, Clip clip, int maxWindows)
    {
        var room = reader.LengthOf(clip) - reader.WindowSamples;
        var count = Math.Clamp(room / reader.WindowSamples + 1, 1, maxWindows);
        for (var i = 0L; i < count; i++) yield return count == 1 ? 0 : i * room / (count - 1);
    }

    static IEnumerable<ClipBatch> Load(
        WindowReader reader, int batchSize, WindowChange? change, SamplingSettings sampling, int? workers, LabelRule rule,
        CancellationToken cancellation, IEnumerable<PlannedWindow[]> plan)
    {
        var count = workers ?? Math.Max(1, Environment.ProcessorCount / 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(workers));
        // Some batches ahead, so that a long recording is decoded while others are learned from; fewer where they are large.
        var ahead = (int)Math.Clamp(MostAheadBytes / ((long)batchSize * reader.WindowSamples * sizeof(float)), 1, Math.Max(4, 2 * count / batchSize));
        return Loaded(count, ahead, plan.Select(windows => new PendingBatch(reader, windows, rule, change, sampling)), cancellation);
    }

    static IEnumerable<ClipBatch> Loaded(int workers, int ahead, IEnumerable<PendingBatch> plan, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var rows = new BlockingCollection<(PendingBatch Batch, int Row)>();
        Thread[] threads = [.. Enumerable.Range(1, workers).Select(i => new Thread(() => Work(rows, stop.Token))
        {
            IsBackground = true,
            Name = $"clip reader {i}",
        })];
        var asked = Stopwatch.GetTimestamp();
        foreach (var thread in threads) thread.Start();
        try
        {
            var waiting = new Queue<PendingBatch>();
            foreach (var batch in plan)
            {
                for (var row = 0; row < batch.Count; row++) rows.Add((batch, row), cancellation);
                waiting.Enqueue(batch);
                if (waiting.Count <= ahead) continue;
                yield return Ready();
                asked = Stopwatch.GetTimestamp();
            }
            while (waiting.Count > 0)
            {
                yield return Ready();
                asked = Stopwatch.GetTimestamp();
            }

            ClipBatch Ready()
            {
                var batch = waiting.Dequeue().Wait(cancellation);
                batch.Waited = Stopwatch.GetElapsedTime(asked);
                return batch;
            }
        }
        finally
        {
            stop.Cancel();
            foreach (var thread in threads) thread.Join();
        }
    }

    static void Work(BlockingCollection<(PendingBatch Batch, int Row)> rows, CancellationToken stop)
    {
        try
        {
            foreach (var (batch, row) in rows.GetConsumingEnumerable(stop)) batch.Fill(row);
        }
        catch (OperationCanceledException)
        {
            // The loop is over.
        }
    }
}
