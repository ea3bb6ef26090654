using System.Collections.Concurrent;

namespace BirdResearch.Data;

/// <summary>Does many pieces of decoding at once, each thread with a <see cref="ScanHand"/> of its own.</summary>
sealed record ScanCrew(string Root, ScanSettings Settings, IReadOnlyList<string>? Worker, CancellationToken Cancellation)
{
    /// <summary>Calls <paramref name="work"/> for every item, in about their order; cancellation stops between two.</summary>
    public void ForEach<T>(IReadOnlyCollection<T> items, Action<ScanHand, T> work)
    {
        var open = new ConcurrentQueue<T>(items);
        var threads = Math.Min(Settings.Threads > 0 ? Settings.Threads : Environment.ProcessorCount, items.Count);
        Task.WaitAll([.. Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(Work, TaskCreationOptions.LongRunning))], CancellationToken.None);
        Cancellation.ThrowIfCancellationRequested();

        void Work()
        {
            using var hand = new ScanHand(Worker, Root, Settings);
            try
            {
                while (!Cancellation.IsCancellationRequested && open.TryDequeue(out var item)) work(hand, item);
            }
            catch (OperationCanceledException) when (Cancellation.IsCancellationRequested)
            {
                // Said once, by the thread that waits for all.
            }
        }
    }
}
