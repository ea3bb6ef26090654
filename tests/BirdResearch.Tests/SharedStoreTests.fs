/// Several workers on one run store.
module BirdResearch.Tests.SharedStoreTests

open System
open System.Collections.Concurrent
open System.Diagnostics
open System.IO
open System.Threading
open Expecto
open BirdResearch.Claims
open BirdResearch.Experiments

let private trial = ExperimentTests.trial

let private undisturbed = lazy (TrialRunner(ExperimentTests.freshStore ()).Run("a", trial.Value))

let private sameScores (run: RunRecord) =
    for domain in [ "train"; "focal"; "soundscape" ] do
        Expect.equal run.Scores[domain] undisturbed.Value.Scores[domain] domain

let private here lease = ClaimHolder(Host = "here", LeaseSeconds = lease)

let private claimOf (store: RunStore) =
    let runner = TrialRunner store
    Directory.CreateDirectory(store.AblationFolder "a") |> ignore
    store.ClaimOf("a", RunStore.NameOf(runner.Complete trial.Value, runner.Open trial.Value.Data))

let private notes phase (events: seq<RunEvent>) = [ for e in events do if e.Phase = phase then e.Note ]

let private oneProcess =
    testSequencedGroup "torch"
    <| testList "one process" [
        test "the run of a worker elsewhere that died is taken over when its lease has passed" {
            let store, events = ExperimentTests.freshStore (), ResizeArray()
            let path = claimOf store
            File.WriteAllText($"{path}-1", """{"holder":{"host":"lost","process_id":7,"worker":"","session":"s","lease_seconds":1},"state":"held","since":"2020-01-01T00:00:00Z"}""")
            let run = TrialRunner(store, here 1.0).Run("a", trial.Value, ExperimentTests.phases events)
            Expect.stringContains (nonNull (notes RunPhase.Waiting events |> List.exactlyOne)) "process 7 on lost" "who was waited for"
            Expect.equal (notes RunPhase.Started events) [ "taken over from process 7 on lost" ] "whose run it was"
            sameScores run
            Expect.isEmpty (Directory.GetFiles(store.AblationFolder "a")) "no claim is left"
        }
        test "a worker that slept past its lease writes nothing more, and the run still ends as if undisturbed" {
            let store, events = ExperimentTests.freshStore (), ResizeArray()
            let path = claimOf store
            let run = (nonNull (Path.GetFileName path)).Replace(".claim", "")
            let checkpoint = Path.Combine(store.PartialFolderOf("a", run), RunFiles.Checkpoint)
            let thief: Claim option ref = ref None
            let saved = ref [||]
            let listen =
                { new IProgress<RunEvent> with
                    member _.Report e =
                        events.Add e
                        TrainingTests.afterEpoch (fun row ->
                            if row.Epoch = 1 && thief.Value.IsNone then
                                let _, seen = ClaimTests.runOut path
                                thief.Value <- Some(nonNull (Claim.TryTake(seen, here 60.0)))
                                saved.Value <- File.ReadAllBytes checkpoint) e.Training
                        if e.Phase = RunPhase.Waiting then
                            Expect.equal (File.ReadAllBytes checkpoint) saved.Value "the checkpoint is that of the epoch before"
                            thief.Value.Value.Dispose() }
            let record = TrialRunner(store, ClaimHolder.Here()).Run("a", trial.Value, listen)
            Expect.equal (notes RunPhase.Started events) [ null; "goes on from its last whole epoch" ] "started twice"
            Expect.stringContains (nonNull (notes RunPhase.Noted events |> List.exactlyOne)) "taken over" "it says so"
            sameScores record
            let sittings = File.ReadAllLines(Path.Combine(store.FolderOf("a", run), "sittings.csv"))
            Expect.equal [ for line in sittings[1..] -> line.Split(',')[0], line.Split(',')[5] ] [ "1", "False"; "3", "True" ] "who trained it, and from where"
        }
        test "a run that exists already when another is finished stays as it is" {
            let store = ExperimentTests.freshStore ()
            let record = TrialRunner(store).Run("a", trial.Value)
            let folder = store.PartialFolderOf("a", record.Name)
            Directory.CreateDirectory folder |> ignore
            let other = RunRecord(Ablation = "a", Name = record.Name, Trial = record.Trial, Model = record.Model, Data = record.Data, Scores = record.Scores, Cost = record.Cost, Machine = record.Machine, Format = 99)
            Expect.equal (store.Finish(other).Format) record.Format "the one that counts"
            Expect.equal (nonNull (store.Find("a", record.Name))).Format record.Format "the one on disk"
            Expect.isFalse (Directory.Exists folder) "ours is gone"
        }
        test "a run that fails is told, the others are trained, and a worker of the same call does not try it again" {
            let store, events = ExperimentTests.freshStore (), ResizeArray()
            let bad = TrialSettings.Set(trial.Value, "seed=2")
            let folder = Directory.CreateDirectory(store.PartialFolderOf("a", RunStore.NameOf(TrialRunner(store).Complete bad, TrialRunner(store).Open bad.Data))).FullName
            File.WriteAllText(Path.Combine(folder, RunFiles.Checkpoint), "no checkpoint")
            let me = ClaimHolder.Here("worker 1", "call")
            let work holder = TrialRunner(store, holder).Work("a", [| bad; trial.Value |], WorkerSettings(), (fun _ -> ExperimentTests.phases events), CancellationToken.None)
            let first = work me
            Expect.equal (List.ofSeq first.Records |> List.map isNull) [ true; false ] "the second is there"
            Expect.equal first.Failures.Count 1 "failures"
            Expect.stringContains (nonNull (notes RunPhase.Failed events |> List.exactlyOne)) RunFiles.Checkpoint "why"
            events.Clear()
            let second = work (ClaimHolder.Here("worker 2", "call"))
            Expect.equal (List.ofSeq second.Failures) (List.ofSeq first.Failures) "known to the call"
            Expect.isFalse (ExperimentTests.seen RunPhase.Started events) "not tried again"
            work (ClaimHolder.Here("worker 1", "another call")) |> ignore
            Expect.isTrue (ExperimentTests.seen RunPhase.Started events) "another call tries"
            Expect.throwsT<InvalidDataException> (fun () -> TrialRunner(store).Run("a", bad) |> ignore) "alone it is an error"
        }
        test "a run with which three workers of a call died is given up by it" {
            let store, events = ExperimentTests.freshStore (), ResizeArray()
            let path = claimOf store
            let dies () =
                let watch = ClaimWatch(ClaimHolder.Here())
                let seen = watch.Look path
                let note = match seen.Note with null -> 0 | n -> n.Deaths + 1
                File.WriteAllText($"{path}-{seen.Generation + 1L}", $$$"""{"holder":{"host":"lost","process_id":7,"worker":"worker","session":"call","lease_seconds":0.2},"state":"held","deaths":{{{note}}}}""")
            for _ in 1..3 do dies ()
            let done' = TrialRunner(store, ClaimHolder(Session = "call")).Work("a", [| trial.Value |], WorkerSettings(), (fun _ -> ExperimentTests.phases events), CancellationToken.None)
            Expect.stringContains (done'.Failures |> Seq.exactlyOne).Message "3 workers" "given up"
            Expect.isFalse (ExperimentTests.seen RunPhase.Started events) "not tried"
        }
    ]

/// A started bird whose output is heard line by line.
type private Worker(results: string, args: string list) =
    let lines, errors = ConcurrentQueue<string>(), ConcurrentQueue<string>()
    let running = CliTests.start results args
    do
        running.OutputDataReceived.Add(fun e -> match e.Data with null -> () | line -> lines.Enqueue line)
        running.ErrorDataReceived.Add(fun e -> match e.Data with null -> () | line -> errors.Enqueue line)
        running.BeginOutputReadLine()
        running.BeginErrorReadLine()
    member _.Lines = List.ofSeq lines
    member _.Errors = String.Join("\n", errors)
    member _.Epochs = lines |> Seq.filter (fun l -> l.Contains " epoch ") |> Seq.length
    member _.Kill() = running.Kill(); running.WaitForExit()
    member _.Stop() = use kill = Process.Start("kill", [ "-TERM"; string running.Id ]) in kill.WaitForExit()
    member _.HasExited = running.HasExited
    member _.End() = running.WaitForExit(); running.ExitCode
    interface IDisposable with
        member _.Dispose() = (if not running.HasExited then running.Kill()); running.Dispose()

let private args =
    [ "run"; "front-ends"; "--models"; "tsresnet_tiny"; "--front-ends"; "mel-64,expand-and-sparsify-64"; "--seeds"; "1,2"; "--epochs"; "4"
      "--set"; "batch_size=4"; "--set"; "window_seconds=2"; "--threads"; "1" ]

let private rootOf name = Scratch.path name

let private scores root =
    [ for file in Directory.GetFiles(rootOf root, "scores.*.csv", SearchOption.AllDirectories) |> Array.sort ->
          Path.GetRelativePath(rootOf root, file), File.ReadAllText file ]

/// What must hold of a store, whatever happened to the workers that filled it.
let private expectWhole root (workers: Worker list) kills want =
    let folder = Path.Combine(rootOf root, "front-ends")
    Expect.equal (scores root) want "every score of every run is that of an undisturbed worker"
    Expect.isEmpty [ for f in Directory.GetFileSystemEntries folder do if f.Contains ".claim" || f.EndsWith ".partial" then f ] "nothing unfinished is left"
    for run in RunStore(rootOf root).Runs "front-ends" do
        let sittings = File.ReadAllLines(Path.Combine(folder, run, "sittings.csv")).Length - 1
        let starts = workers |> List.sumBy (fun w -> w.Lines |> List.filter (fun l -> l.StartsWith '[' && l.Contains run && not (l.Contains "is there")) |> List.length)
        // A second training of a finished run would be told and would not be in its folder; a kill can come before a sitting is told.
        Expect.isTrue (starts <= sittings && sittings <= starts + kills) $"{run} has {sittings} sittings, {starts} were told"

let private processes =
    testSequencedGroup "torch"
    <| test "three workers at once, killed one by one and then all, lose no run, train none twice and change no score" {
        let data = (TrainingTests.tinyData.Force()).Root
        let start root = new Worker(rootOf root, args @ [ "--data"; data ])
        let patience = Stopwatch.StartNew()
        let until what (condition: unit -> bool) =
            while not (condition ()) do
                if patience.Elapsed > TimeSpan.FromMinutes 5.0 then failtest $"waited in vain: {what}"
                Thread.Sleep 5
        Environment.SetEnvironmentVariable("BIRD_LEASE", "4")
        try
            use alone = start "shared-undisturbed"
            Expect.equal (alone.End()) 0 alone.Errors
            let want = scores "shared-undisturbed"
            Expect.equal want.Length 12 "four runs with three domains each"

            // Two of three are killed, each in the middle of something else; the third takes over what they had.
            let three = [ for _ in 1..3 -> start "shared-two-killed" ]
            until "a first epoch" (fun () -> three[0].Epochs >= 1 || three[0].HasExited)
            three[0].Kill()
            until "three epochs" (fun () -> three[1].Epochs >= 3 || three[1].HasExited)
            three[1].Kill()
            Expect.equal (three[2].End()) 0 three[2].Errors
            expectWhole "shared-two-killed" three 2 want
            for w in three do (w :> IDisposable).Dispose()

            // The machine is lost twice, at moments that are never the same, and a claim of another machine that died is there too.
            let root, all = "shared-machine-lost", ResizeArray()
            for epochs in [ 1; 5 ] do
                let three = [ for _ in 1..3 -> start root ]
                all.AddRange three
                until $"{epochs} epochs" (fun () -> List.sumBy (fun (w: Worker) -> w.Epochs) three >= epochs || three |> List.forall _.HasExited)
                for w in three do w.Kill()
            let store = RunStore(rootOf root)
            let missing = [ for f in Directory.GetDirectories(store.AblationFolder "front-ends", "*.partial") -> (nonNull (Path.GetFileName f)).Replace(".partial", "") ]
            match missing with
            | run :: _ ->
                let path = store.ClaimOf("front-ends", run)
                let generation = ClaimWatch(ClaimHolder.Here()).Look(path).Generation + 1L
                File.WriteAllText($"{path}-{generation}", """{"holder":{"host":"burnt","process_id":7,"lease_seconds":2},"state":"held"}""")
            | [] -> ()
            let two = [ for _ in 1..2 -> start root ]
            all.AddRange two
            for w in two do Expect.equal (w.End()) 0 w.Errors
            expectWhole root (List.ofSeq all) 6 want
            for w in two do Expect.isTrue (File.Exists(Path.Combine(rootOf root, "front-ends", "report.html"))) "each waited for all and reported"
            for w in all do (w :> IDisposable).Dispose()
        finally
            Environment.SetEnvironmentVariable("BIRD_LEASE", null)
    }

let private crews =
    testSequencedGroup "torch"
    <| testList "crews" [
        let args root extra = rootOf root, args @ [ "--data"; (TrainingTests.tinyData.Force()).Root; "--workers"; "2" ] @ extra
        let start (root, args) = new Worker(root, args)
        let kill (pid: int) = try Process.GetProcessById(pid).Kill() with :? ArgumentException -> ()
        let isGone (pid: int) = try Process.GetProcessById(pid).HasExited with :? ArgumentException -> true
        let pids root =
            [ for file in Directory.GetFiles(Path.Combine(rootOf root, "front-ends"), "*.claim-*") do
                  let hit = System.Text.RegularExpressions.Regex.Match(File.ReadAllText file, "\"process_id\":(\\d+)")
                  if hit.Success && not (isGone (int hit.Groups[1].Value)) then int hit.Groups[1].Value ]
        let until what (condition: unit -> bool) =
            let patience = Stopwatch.StartNew()
            while not (condition ()) do
                if patience.Elapsed > TimeSpan.FromMinutes 3.0 then failtest $"waited in vain: {what}"
                Thread.Sleep 5

        test "two workers train an ablation to the scores of one, one of them killed, and a stop stops both" {
            use stopped = start (args "crew" [])
            until "an epoch" (fun () -> stopped.Epochs >= 1 || stopped.HasExited)
            stopped.Stop()
            Expect.equal (stopped.End()) 130 $"as after Ctrl-C: {stopped.Errors}"
            Expect.isNonEmpty (Directory.GetDirectories(Path.Combine(rootOf "crew", "front-ends"), "*.partial")) "what was begun stays"

            use robbed = start (args "crew" [])
            until "an epoch" (fun () -> robbed.Epochs >= 1 || robbed.HasExited)
            let killed = pids "crew" |> List.truncate 1
            List.iter kill killed
            Expect.equal (robbed.End()) 1 "something went wrong"
            Expect.stringContains robbed.Errors "ended by itself with code 137 (signal 9)" "what"
            expectWhole "crew" [] Int32.MaxValue (scores "shared-undisturbed")
        }
        test "a crew whose parent is killed does not live on" {
            use orphaned = start (args "crew-orphaned" [ "--set"; "training.budget=4000 epochs" ])
            until "an epoch" (fun () -> orphaned.Epochs >= 1 || orphaned.HasExited)
            let children = pids "crew-orphaned"
            Expect.isNonEmpty children "workers"
            orphaned.Kill()
            until "their end" (fun () -> List.forall isGone children)
        }
        test "a crew says which run failed, trains the others, and ends with a code" {
            let root, arguments = args "crew-failed" []
            let store = RunStore root
            let run = RunStore(rootOf "shared-undisturbed").Runs "front-ends" |> Seq.head
            let folder = Directory.CreateDirectory(store.PartialFolderOf("front-ends", run)).FullName
            File.WriteAllText(Path.Combine(folder, RunFiles.Checkpoint), "no checkpoint")
            use crew = start (root, arguments)
            Expect.equal (crew.End()) 1 "code"
            Expect.stringContains crew.Errors run "which"
            Expect.equal (Seq.length (store.Runs "front-ends")) 3 "the others"
        }
    ]

let tests = testList "Shared store" [ oneProcess; processes; crews ]
