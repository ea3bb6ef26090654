using System.Collections.Concurrent;
using BirdResearch.Audio;

namespace BirdResearch.Inference.Prediction;

/// <summary>
/// Scores every row of a plan by every member, several stretches of sound at once: while one worker decodes, others score. With a deadline it keeps
/// predicting its own end; when time is short the members of least value per second are left out of the stretches to come, never rows, and what was
/// left out is made up for if time remains. What there is is handed over now and then, so that a whole submission can be written at any moment.
/// </summary>
/// <param name="predictions">Receives what the members say.</param>
/// <param name="settings">Workers, batches, deadline.</param>
/// <param name="write">Writes what there is; called from one thread at a time, before anything is scored, now and then, and at the end.</param>
/// <param name="listener">Hears of progress and notes, or null.</param>
public sealed class Predictor(Predictions predictions, PredictorSettings settings, Action write, IProgress<PredictionProgress>? listener = null)
{
    // Time kept back for a last writing, in multiples of the longest so far.
    const double WritingReserve = 2, LeastReserve = 1;

    const double StayOut = 0.7;

    readonly Lock _lock = new();
    readonly HashSet<int> _left = [];                     // members that are left out for now
    readonly HashSet<Stretch> _unreadable = [];
    readonly HashSet<(Stretch, int)> _silent = [];        // stretches whose sound ends before their rows do, by member
    readonly ConcurrentDictionary<string, byte> _told = [];
    readonly int _total = Stretch.Of(predictions.Plan, settings.StretchRows).Sum(s => s.Count);

    // Rows that each member has scored, or cannot; some may come from an earlier run.
    readonly int[] _rows = [.. Enumerable.Range(0, predictions.Members.Count).Select(m => Stretch.Of(predictions.Plan, settings.StretchRows)
        .Sum(s => Enumerable.Range(s.FirstRow, s.Count).Count(r => predictions.IsScored(m, r))))];

    long _written;
    double _writing;
    volatile bool _outOfTime;

    /// <summary>What members cost, as measured.</summary>
    public Pace Pace { get; } = new(predictions.Members.Count, settings.Workers);

    /// <summary>Whether the deadline came before every member had scored every row.</summary>
    public bool IsIncomplete { get; private set; }

    /// <summary>Rows that each member has scored.</summary>
    public IReadOnlyList<int> RowsOf =>
        [.. Enumerable.Range(0, predictions.Members.Count).Select(m => Enumerable.Range(0, predictions.Plan.Rows.Count).Count(r => predictions.IsScored(m, r)))];

    /// <summary>Scores; returns when all is done or the deadline has come. A stop by <paramref name="cancellation"/> writes what there is first.</summary>
    public void Run(CancellationToken cancellation = default)
    {
        Write();
        if (settings.Deadline is not null) Measure();
        try
        {
            // A further round makes up for members that were left out.
            for (var before = -1L; !_outOfTime && Remaining() is > 0 and var open && open != before; before = open) Round(cancellation);
        }
        finally
        {
            IsIncomplete = Remaining() > 0;
            Write();
        }
    }

    /// <summary>Member rows that are still to be scored, as far as there is sound.</summary>
    long Remaining()
    {
        lock (_lock) return _rows.Sum(done => (long)Math.Max(0, _total - done));
    }

    void Round(CancellationToken cancellation)
    {
        var open = new ConcurrentQueue<Stretch>(Stretch.Of(predictions.Plan, settings.StretchRows).Where(s => Missing(s).Count > 0));
        var workers = Enumerable.Range(0, Math.Max(1, settings.Workers)).Select(_ => Task.Factory.StartNew(
            () => Work(open, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        try
        {
            Task.WaitAll(workers, CancellationToken.None);
        }
        catch (AggregateException e)
        {
            open.Clear();
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(e.Flatten().InnerExceptions.OrderBy(x => x is OperationCanceledException).First());
        }
    }

    void Work(ConcurrentQueue<Stretch> open, CancellationToken cancellation)
    {
        var scorer = new StretchScorer(predictions, settings);
        try
        {
            while (!_outOfTime && open.TryDequeue(out var stretch))
            {
                cancellation.ThrowIfCancellationRequested();
                var members = Affordable(Missing(stretch));
                if (members.Count > 0) Score(scorer, stretch, members, cancellation);
                Tell();
            }
        }
        catch
        {
            open.Clear();   // the others stop too
            throw;
        }
    }

    void Score(StretchScorer scorer, Stretch stretch, IReadOnlyList<int> members, CancellationToken cancellation)
    {
        try
        {
            scorer.Open(stretch, members, Pace);
        }
        catch (AudioFileException e)
        {
            Note($"{e.Message.TrimEnd('.')}. Its rows get the prior.");
            lock (_lock)
            {
                _unreadable.Add(stretch);
                for (var m = 0; m < _rows.Length; m++) _rows[m] += Enumerable.Range(stretch.FirstRow, stretch.Count).Count(r => !predictions.IsScored(m, r));
            }
            return;
        }
        foreach (var member in members)
        {
            var (scored, silent) = scorer.Score(stretch, member, () =>
            {
                cancellation.ThrowIfCancellationRequested();
                return HasTimeFor(member);
            }, Pace);
            if (silent > 0) Note($"{stretch.Recording.Recording.Path}: its sound ends before its last {silent} rows do; they get the prior.");
            lock (_lock)
            {
                _rows[member] += scored + silent;
                if (silent > 0) _silent.Add((stretch, member));
            }
            if (_outOfTime) return;
        }
    }

    /// <summary>Members that have not scored all of a stretch.</summary>
    List<int> Missing(Stretch stretch)
    {
        lock (_lock)
        {
            if (_unreadable.Contains(stretch)) return [];
            return [.. Enumerable.Range(0, predictions.Members.Count).Where(m =>
                !_silent.Contains((stretch, m)) && Enumerable.Range(stretch.FirstRow, stretch.Count).Any(r => !predictions.IsScored(m, r)))];
        }
    }

    /// <summary>Of the members that a stretch lacks, those for which there is time on all rows that lack them; the best per second come first.</summary>
    IReadOnlyList<int> Affordable(List<int> members)
    {
        lock (_lock)
        {
            members.Sort((a, b) => Worth(b).CompareTo(Worth(a)) is not 0 and var order ? order : a.CompareTo(b));
            if (settings.Deadline is null) return members;
            members.RemoveAll(m => !HasTimeFor(m));
            if (members.Count == 0) return members;
            var kept = members.ToList();
            while (kept.Count > 1 && Prediction(kept).High > SecondsLeft() - Reserve()) kept.RemoveAt(kept.Count - 1);
            var changed = false;
            foreach (var m in members) changed |= kept.Contains(m) ? _left.Remove(m) : _left.Add(m);
            if (changed)
                Note(_left.Count == 0
                    ? "There is time for every model again."
                    : $"Time is short. Left out of the recordings to come, for least value per second: {string.Join(", ", _left.Order().Select(m => predictions.Members[m].Name))}.", again: true);
            return kept;
        }
    }

    TimeSpread Prediction(IReadOnlyList<int> members) =>
        Pace.Predict(members.Select(m => (m, (long)Math.Max(0, _total - _rows[m]))).Append((Pace.Decoding, (long)members.Max(m => Math.Max(0, _total - _rows[m])))));

    /// <summary>Value per second. One that was left out must be clearly better to come back, or alike ones would take turns.</summary>
    double Worth(int member) => predictions.Members[member].Value / Math.Max(1e-9, Pace.PerRow(member)) * (_left.Contains(member) ? StayOut : 1);

    /// <summary>A first figure for each member, from silence: two calls, of which the first makes room and plans.</summary>
    void Measure()
    {
        for (var m = 0; m < predictions.Members.Count; m++)
        {
            var card = predictions.Members[m].Model.Card;
            var perRow = new RowWindows(card.Seconds, predictions.Plan.WindowSeconds).PerRow;
            var rows = Math.Max(1, settings.BatchSize / perRow);
            var (windows, logits) = (new float[rows * perRow * card.WindowSamples], new float[rows * perRow * card.Classes.Count]);
            predictions.Members[m].Model.Score(windows, rows * perRow, logits);
            var began = settings.Clock.GetTimestamp();
            predictions.Members[m].Model.Score(windows, rows * perRow, logits);
            Pace.Add(m, rows, settings.Clock.GetElapsedTime(began).TotalSeconds);
        }
    }

    /// <summary>Whether another call of a member would end in time; when nothing can be begun any more, everybody stops.</summary>
    bool HasTimeFor(int member)
    {
        var left = SecondsLeft() - Reserve();
        _outOfTime |= left <= 0;
        return left > Pace.PerRow(member) * settings.BatchSize;
    }

    double SecondsLeft() => settings.Deadline is { } deadline
        ? (deadline - settings.Clock.GetTimestamp()) / (double)settings.Clock.TimestampFrequency
        : double.PositiveInfinity;

    double Reserve() => Math.Max(LeastReserve, WritingReserve * _writing);

    void Tell()
    {
        lock (_lock)
        {
            var members = Enumerable.Range(0, _rows.Length).Where(m => !_left.Contains(m)).ToList();
            listener?.Report(new PredictionProgress(
                members.Count == 0 ? 0 : members.Min(m => Math.Min(_rows[m], _total)), _total, members.Count == 0 ? null : Prediction(members)));
            if (settings.Clock.GetElapsedTime(_written).TotalSeconds > Math.Max(settings.WriteEvery, 50 * _writing)) Write();
        }
    }

    void Write()
    {
        lock (_lock)
        {
            var began = settings.Clock.GetTimestamp();
            write();
            _written = settings.Clock.GetTimestamp();
            _writing = Math.Max(_writing, settings.Clock.GetElapsedTime(began, _written).TotalSeconds);
        }
    }

    void Note(string text, bool again = false)
    {
        if (_told.TryAdd(text, 0) || again) listener?.Report(new PredictionProgress(0, _total, null, text));
    }
}
