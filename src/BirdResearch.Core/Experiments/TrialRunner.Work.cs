using System.Diagnostics;
using BirdResearch.Claims;

namespace BirdResearch.Experiments;

public sealed partial class TrialRunner
{
    readonly ClaimHolder _me = me ?? ClaimHolder.Here();
    readonly ClaimWatch _watch = new(me ?? ClaimHolder.Here());

    /// <summary>The finished run of a trial: read back where it exists, waited for where another process trains it, trained where nobody does.</summary>
    public RunRecord Run(string ablation, Trial trial, IProgress<RunEvent>? listener = null, CancellationToken cancellation = default) =>
        RunAll(ablation, [trial], _ => listener, cancellation)[0];

    /// <summary>The finished runs of trials, in their order. What others train is left to them and waited for in the end. The first failure ends it.</summary>
    /// <param name="ablation">Ablation they belong to.</param>
    /// <param name="trials">The trials.</param>
    /// <param name="listenerOf">Who hears of the trial of that index.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public IReadOnlyList<RunRecord> RunAll(
        string ablation, IReadOnlyList<Trial> trials, Func<int, IProgress<RunEvent>?>? listenerOf = null, CancellationToken cancellation = default) =>
        [.. Work(ablation, trials, new WorkerSettings { GoesOn = false }, listenerOf, cancellation).Records.Select(r => r!)];

    /// <summary>Does what is missing of an ablation's trials beside other workers, in the order of the list.</summary>
    /// <param name="ablation">Ablation they belong to.</param>
    /// <param name="trials">The trials.</param>
    /// <param name="settings">How much of it.</param>
    /// <param name="listenerOf">Who hears of the trial of that index.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public WorkDone Work(
        string ablation, IReadOnlyList<Trial> trials, WorkerSettings settings, Func<int, IProgress<RunEvent>?>? listenerOf = null,
        CancellationToken cancellation = default)
    {
        settings.Check();
        var jobs = trials.Select((trial, i) => new Job(this, ablation, Complete(trial), listenerOf?.Invoke(i))).ToList();
        var (trained, told, idle) = (0, "", Stopwatch.StartNew());
        while (true)
        {
            var before = trained;
            foreach (var job in jobs.Where(j => !j.IsOver))
            {
                cancellation.ThrowIfCancellationRequested();
                if (job.Try(settings, cancellation)) trained++;
                if (trained >= settings.MostRuns) return Done();
            }
            var open = jobs.Where(j => !j.IsOver).ToList();
            if (open.Count == 0 || (trained == before && idle.Elapsed.TotalSeconds >= settings.PatienceSeconds)) return Done();
            if (trained > before)
            {
                idle.Restart();
                continue;
            }
            if (Told(open) is { } text && text != told) open[0].Tell(RunPhase.Waiting, told = text);
            Claim.Pause(_me, cancellation);
        }

        WorkDone Done() => new([.. jobs.Select(j => j.Record)], [.. jobs.Select(j => j.Failure).OfType<RunFailure>()]);
    }

    /// <summary>By whom the open runs are trained; null where that is known to the call, because they are its own workers.</summary>
    string? Told(IReadOnlyList<Job> open)
    {
        var others = open.Select(j => j.HeldBy).OfType<ClaimNote>().Where(n => n.Holder.Session != _me.Session).Select(n => $"{n.Holder}, since {n.Since.ToLocalTime():HH:mm}").ToList();
        return others.Count == 0 ? null : $"{(others.Count == 1 ? "1 run is" : $"{others.Count} runs are")} being trained by others ({string.Join("; ", others.Distinct())})";
    }

    /// <summary>A trial on its way to its record.</summary>
    sealed class Job(TrialRunner runner, string ablation, Trial trial, IProgress<RunEvent>? listener)
    {
        readonly Data.Dataset _data = runner.Open(trial.Data);
        readonly string _name = RunStore.NameOf(trial, runner.Open(trial.Data));

        public RunRecord? Record { get; private set; }
        public RunFailure? Failure { get; private set; }
        public ClaimNote? HeldBy { get; private set; }
        public bool IsOver => Record is not null || Failure is not null;

        RunStore Store => runner.Store;

        public void Tell(RunPhase phase, string? note = null) => listener?.Report(new RunEvent(_name, phase, Record: Record, Note: note));

        /// <summary>Reads the run back, or trains it if nobody else does; true if it was trained here.</summary>
        public bool Try(WorkerSettings settings, CancellationToken cancellation)
        {
            if (ReadBack()) return false;
            Directory.CreateDirectory(Store.AblationFolder(ablation));
            var seen = runner._watch.Look(Store.ClaimOf(ablation, _name));
            HeldBy = seen.Note;
            if (!seen.IsOpen || GaveUp(seen, settings)) return false;
            using var claim = Claim.TryTake(seen, runner._me, DeathsOf(seen));
            if (claim is null) return false;
            if (ReadBack())
            {
                claim.Complete();   // somebody finished it between the two looks
                return false;
            }
            return Train(claim, seen, settings, cancellation);
        }

        bool ReadBack()
        {
            if (Store.Find(ablation, _name) is not { } found) return false;
            if (!RunIdentity.Matches(found, trial))
                throw new InvalidDataException(
                    $"'{Store.FolderOf(ablation, _name)}' was made when some default was another: its settings are not those that are asked for. Move it away to have it made again.");
            Record = found;
            Tell(RunPhase.ReadBack);
            return true;
        }

        /// <summary>Whether a worker of the same call has found that it cannot be trained.</summary>
        bool GaveUp(ClaimView seen, WorkerSettings settings)
        {
            if (seen.Note is not { } note || note.Holder.Session != runner._me.Session) return false;
            if (note.State == ClaimState.Failed) Fail(note.Message);
            else if (DeathsOf(seen) >= settings.MostDeaths)
                Fail($"{DeathsOf(seen)} workers of this call ended while they trained it, the last was {note.Holder}; it is not tried again. Is there memory enough?");
            return Failure is not null;
        }

        void Fail(string message)
        {
            Failure = new RunFailure(_name, message);
            Tell(RunPhase.Failed, message);
        }

        int DeathsOf(ClaimView seen) =>
            seen is { IsOrphan: true, Note: { } note } && note.Holder.Session == runner._me.Session ? note.Deaths + 1 : 0;

        bool Train(Claim claim, ClaimView seen, WorkerSettings settings, CancellationToken cancellation)
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, claim.Lost);
            try
            {
                var folder = Directory.CreateDirectory(Store.PartialFolderOf(ablation, _name)).FullName;
                var resumes = RunFiles.Checkpoints(folder).Count > 0;
                RunFiles.Begin(folder, claim, resumes);
                string?[] notes = [seen is { IsOrphan: true, Note: { } dead } ? $"taken over from {dead.Holder}" : null, resumes ? "goes on from its last whole epoch" : null];
                Tell(RunPhase.Started, notes.OfType<string>().Any() ? string.Join(", ", notes.OfType<string>()) : null);
                var record = runner.Train(ablation, _name, trial, _data, folder, claim.Check, listener, stop.Token);
                claim.Seal();
                Record = Store.Finish(record);
                claim.Complete();
                Tell(RunPhase.Finished);
                return true;
            }
            catch (Exception) when (claim.Lost.IsCancellationRequested && !cancellation.IsCancellationRequested)
            {
                Tell(RunPhase.Noted, $"{_name} was taken over by another worker, because this one gave no sign of life for {runner._me.LeaseSeconds:0.#} s.");
                return false;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                claim.Fail(e.Message);
                if (!settings.GoesOn) throw;
                Fail(e.Message);
                return false;
            }
        }
    }

    RunStore Store => store;
}
