using BirdResearch.Audio;
using BirdResearch.Inference.Submission;

namespace BirdResearch.Inference.Prediction;

/// <summary>
/// Measures what decoding and each member cost on some of the recordings, with all workers busy as in the real run, so that the time of a whole
/// test is known before it starts.
/// </summary>
public static class Rehearsal
{
    /// <summary>Runs for about that long and returns the costs.</summary>
    /// <param name="folder">The recordings; a few of those that can be read are taken, evenly from the first to the last.</param>
    /// <param name="members">Who is measured; all of them score every sampled row.</param>
    /// <param name="settings">Workers and batches of the real run.</param>
    /// <param name="windowSeconds">Length of a row's window.</param>
    /// <param name="seconds">How long to measure.</param>
    /// <param name="recordings">Most recordings in the sample.</param>
    /// <param name="cancellation">Ends the rehearsal with an <see cref="OperationCanceledException"/>.</param>
    public static Pace Run(
        TestFolder folder, IReadOnlyList<Member> members, PredictorSettings settings, double windowSeconds, double seconds, int recordings,
        CancellationToken cancellation = default)
    {
        TestRecording[] readable = [.. folder.Recordings.Where(r => r is { Path: not null, Trouble: null })];
        if (readable.Length == 0) throw new InvalidDataException($"None of the recordings of {folder.Path} can be read, so there is nothing to measure.");
        var step = Math.Max(1.0, (double)readable.Length / Math.Max(1, recordings));
        var sample = folder with
        {
            Recordings = [.. Enumerable.Range(0, Math.Min(readable.Length, Math.Max(1, recordings))).Select(i => readable[(int)(i * step)]).Distinct()],
        };
        var plan = SubmissionPlan.Of(sample, [.. members.SelectMany(m => m.Model.Card.Classes).Distinct()], windowSeconds);
        var stretches = Stretch.Of(plan, settings.StretchRows);
        var (pace, warmUp) = (new Pace(members.Count, settings.Workers), new Pace(members.Count, settings.Workers));
        using var ready = new Barrier(settings.Workers);
        var ended = long.MaxValue;
        bool MayGoOn() => !cancellation.IsCancellationRequested && settings.Clock.GetTimestamp() < Volatile.Read(ref ended);

        var workers = Enumerable.Range(0, settings.Workers).Select(worker => Task.Factory.StartNew(() =>
        {
            // The first calls make room and plans; the clock starts when every worker is through with them.
            var failure = Try(() => Warm(new Predictions(plan, members), stretches[worker % stretches.Count]));
            ready.SignalAndWait(CancellationToken.None);
            if (failure is not null) throw failure;
            Interlocked.CompareExchange(ref ended, settings.Clock.GetTimestamp() + (long)(seconds * settings.Clock.TimestampFrequency), long.MaxValue);
            for (var next = worker; MayGoOn(); next += settings.Workers)
            {
                var scorer = new StretchScorer(new Predictions(plan, members), settings);
                var stretch = stretches[next % stretches.Count];
                try
                {
                    scorer.Open(stretch, Enumerable.Range(0, members.Count), pace);
                }
                catch (AudioFileException) when (stretches.Count > 1)
                {
                    continue;   // the real run tells of it; here it has no cost to speak of
                }
                // Members take turns at being first, so that a short rehearsal measures them all.
                for (var m = 0; m < members.Count && MayGoOn(); m++) scorer.Score(stretch, (m + next) % members.Count, MayGoOn, pace);
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        try
        {
            Task.WaitAll(workers, CancellationToken.None);
        }
        catch (AggregateException e)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions[0]);
        }
        cancellation.ThrowIfCancellationRequested();
        return pace;

        void Warm(Predictions scratch, Stretch stretch)
        {
            var scorer = new StretchScorer(scratch, settings);
            scorer.Open(stretch, Enumerable.Range(0, members.Count), warmUp);
            for (var m = 0; m < members.Count; m++)
            {
                var calls = 0;
                scorer.Score(stretch, m, () => calls++ < 1 && !cancellation.IsCancellationRequested, warmUp);
            }
        }
    }

    static Exception? Try(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }
}
