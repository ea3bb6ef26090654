/// 'bird run --executor slurm', on a real Slurm of two nodes where one can be started (tests/slurm/run.sh).
module BirdResearch.Tests.SlurmTests

open System
open System.Diagnostics
open System.IO
open System.Threading
open Expecto
open BirdResearch.Claims
open BirdResearch.Data
open BirdResearch.Experiments

let private rootOf name = Scratch.path name

let private grid (data: string) extra =
    [ "run"; "front-ends"; "--data"; data; "--models"; "tsresnet_tiny"; "--front-ends"; "mel-64,expand-and-sparsify-64"; "--seeds"; "1,2"
      "--set"; "batch_size=4"; "--set"; "window_seconds=2" ] @ extra

let private data = lazy ((TrainingTests.tinyData.Force()).Root)

let private script =
    testList "script" [
        test "an option goes before the profile, and the profile before the default" {
            let results = Directory.CreateDirectory(rootOf "slurm-profile").FullName
            File.WriteAllText(Path.Combine(results, "slurm.json"), """{ "partition": "long", "memory": "3G", "cpus": 2, "setup": [ "module load dotnet" ] }""")
            let code, output, error =
                CliTests.start results (grid data.Value [ "--executor"; "slurm"; "--dry-run"; "--memory"; "5G"; "--array-limit"; "2"; "--sbatch"; "--constraint=avx512" ]) |> CliTests.finish
            Expect.equal code 0 error
            for line in
                [ "#SBATCH --partition=long"; "#SBATCH --mem=5G"; "#SBATCH --cpus-per-task=2"; "#SBATCH --time=04:00:00"; "#SBATCH --array=0-3%2"
                  "#SBATCH --constraint=avx512"; "#SBATCH --signal=B:TERM@120"; "module load dotnet" ] do
                Expect.contains (output.Split '\n') line "the script"
            Expect.isFalse (Directory.Exists(Path.Combine(results, "front-ends", "slurm"))) "a dry run leaves nothing"
        }
        test "several runs a task make fewer tasks" {
            let _, output, _ = CliTests.start (rootOf "slurm-tasks") (grid data.Value [ "--executor"; "slurm"; "--dry-run"; "--runs-per-task"; "3" ]) |> CliTests.finish
            Expect.stringContains output "#SBATCH --array=0-1\n" "four runs in two tasks"
        }
        test "what cannot be asked of a cluster is an error that names it" {
            for extra, word in
                [ [ "--time"; "tomorrow" ], "--time is 'tomorrow'"
                  [ "--memory"; "much" ], "--memory is 'much'"
                  [ "--cpus"; "0" ], "--cpus is 0"
                  [ "--profile"; "none.json" ], "no profile 'none.json'" ] do
                let code, _, error = CliTests.start (rootOf "slurm-wrong") (grid data.Value ([ "--executor"; "slurm"; "--dry-run" ] @ extra)) |> CliTests.finish
                Expect.equal code 1 error
                Expect.stringContains error word "the message"
        }
        test "without sbatch it says where to call it" {
            let info = CliTests.startInfo (rootOf "slurm-none") (grid data.Value [ "--executor"; "slurm" ])
            info.FileName <- nonNull Environment.ProcessPath
            info.Environment["PATH"] <- rootOf "nowhere"
            let code, _, error = Process.Start info |> nonNull |> CliTests.finish
            Expect.equal code 1 error
            Expect.stringContains error "login node" "where"
        }
    ]

/// What a program prints; its code must be 0.
let private said (environment: (string * string) list) (program: string) (args: string list) =
    let info = ProcessStartInfo(program, args, RedirectStandardOutput = true, RedirectStandardError = true)
    for name, value in environment do info.Environment[name] <- value
    use running = Process.Start info |> nonNull
    let error = running.StandardError.ReadToEndAsync()
    let output = running.StandardOutput.ReadToEnd()
    running.WaitForExit()
    if running.ExitCode <> 0 then failtest $"{program} %A{args}: {error.Result}"
    output.Trim()

/// The cluster of tests/slurm/run.sh; it ends with its standard input.
type private Cluster() =
    let script = Path.Combine(Folders.Root, "tests", "slurm", "run.sh")
    let info = ProcessStartInfo("bash", [ script; "cluster" ], RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true)
    let running = Process.Start info |> nonNull
    let errors = running.StandardError.ReadToEndAsync()
    let first = running.StandardOutput.ReadLine()
    do
        match first with
        | null ->
            running.WaitForExit()
            if running.ExitCode = 77 then skiptest $"no Slurm here: {errors.Result.Trim()}" else failtest errors.Result
        | _ -> ()
    member _.Settings = (nonNull first).Split(' ', 2)[1]
    member this.Folder = Path.GetDirectoryName this.Settings |> nonNull
    interface IDisposable with
        member _.Dispose() =
            running.StandardInput.Close()
            running.WaitForExit()

let private parentOf (pid: int) =
    let fields = (let text = File.ReadAllText $"/proc/{pid}/stat" in text[text.LastIndexOf ')' + 2 ..].Split ' ')
    int fields[1]

let private kill (pid: int) = try Process.GetProcessById(pid).Kill() with :? ArgumentException -> ()

let private real =
    testSequencedGroup "cluster" // mostly waits, so that others may run beside it
    <| test "an array on two nodes: time limit, requeue and a lost node end in every run once, with the scores of an undisturbed worker" {
        if not (OperatingSystem.IsLinux()) then skiptest "needs Linux"
        use cluster = new Cluster()
        let patience = Stopwatch.StartNew()
        let until what (condition: unit -> bool) =
            while not (condition ()) do
                if patience.Elapsed > TimeSpan.FromMinutes 8.0 then failtest $"waited in vain: {what}"
                Thread.Sleep 200
        let environment = [ "SLURM_CONF", cluster.Settings; "BIRD_LEASE", "4" ]
        let bird results args =
            let info = CliTests.startInfo (rootOf results) args
            for name, value in environment do info.Environment[name] <- value
            let code, output, error = Process.Start info |> nonNull |> CliTests.finish
            Expect.equal code 0 $"%A{args}: {output} {error}"
            output
        let slurm = [ "--executor"; "slurm" ]
        let four = grid data.Value [ "--epochs"; "40" ]
        let settings = [ "--time"; "30"; "--memory"; "1000M"; "--cpus"; "1" ]
        let store = RunStore(rootOf "slurm")

        // A run that needs longer than its minute: it is stopped at the time limit and goes on in a second sitting.
        let long = [ "run"; "models"; "--data"; data.Value; "--models"; "tsresnet_tiny"; "--front-ends"; "mel-64"; "--seeds"; "1"; "--budget"; "50 seconds"; "--set"; "batch_size=4"; "--set"; "window_seconds=2" ]
        Expect.stringContains (bird "slurm" (long @ slurm @ [ "--time"; "1"; "--memory"; "1000M"; "--cpus"; "1" ])) "1 runs" "submitted"
        Expect.stringContains (bird "slurm" (four @ slurm @ settings)) "4 runs" "submitted"
        Expect.stringContains (bird "slurm" (four @ slurm @ settings)) "Nothing to submit" "what is in the queue is not submitted twice"

        let folder = store.AblationFolder "front-ends"
        let watch = ClaimWatch(ClaimHolder.Here())
        let epochsOf node =
            [ for partial in (if Directory.Exists folder then Directory.GetDirectories(folder, "*.partial") else [||]) do
                  let run = (nonNull (Path.GetFileName partial)).Replace(".partial", "")
                  match watch.Look(store.ClaimOf("front-ends", run)).Note with
                  | null -> ()
                  | note when note.State = ClaimState.Held && note.Holder.Worker.EndsWith $" at {node}" && File.Exists(Path.Combine(partial, RunFiles.Checkpoint)) -> run, note.Holder
                  | _ -> () ]
        let isOver () = Seq.length (store.Runs "front-ends") = 4

        // One task is requeued in the middle of its run.
        until "a checkpoint on n1" (fun () -> not (epochsOf("n1").IsEmpty) || isOver ())
        for _, holder in List.truncate 1 (epochsOf "n1") do
            said environment "scontrol" [ "requeue"; holder.Worker.Split(' ')[2] ] |> ignore

        // The other node is lost: its daemon, and what runs on it with all that watches over it.
        until "a checkpoint on n2" (fun () -> not (epochsOf("n2").IsEmpty) || isOver ())
        let lost = epochsOf "n2"
        kill (int (File.ReadAllText(Path.Combine(cluster.Folder, "slurmd.n2.pid"))))
        for _, holder in lost do
            let shell = parentOf holder.ProcessId
            for pid in [ parentOf shell; shell; holder.ProcessId ] do kill pid
        Expect.isNonEmpty lost "a run was under way on each node"

        until "every run" (fun () ->
            if isOver () then true
            else
                Thread.Sleep 2000
                // What a lost node leaves behind may have failed instead of being requeued: the same command submits it.
                bird "slurm" (four @ slurm @ settings) |> ignore
                isOver ())
        until "the long run" (fun () -> Seq.length (store.Runs "models") = 1)

        bird "slurm-undisturbed" (four @ [ "--threads"; "1" ]) |> ignore
        let scores root =
            [ for file in Directory.GetFiles(Path.Combine(rootOf root, "front-ends"), "scores.*.csv", SearchOption.AllDirectories) |> Array.sort ->
                  Path.GetRelativePath(rootOf root, file), File.ReadAllText file ]
        Expect.equal (scores "slurm").Length 12 "four runs with three domains each"
        Expect.equal (scores "slurm") (scores "slurm-undisturbed") "every score"

        let sittings ablation run = [ for line in File.ReadAllLines(Path.Combine(store.FolderOf(ablation, run), "sittings.csv"))[1..] -> line.Split ',' ]
        let all = [ for run in store.Runs "front-ends" do yield! sittings "front-ends" run ]
        let nodes = all |> List.map (fun cells -> (Array.last (cells[3].Split ' '))) |> List.distinct |> List.sort
        Expect.equal nodes [ "n1"; "n2" ] "both nodes trained"
        for run, _ in lost do
            Expect.isTrue (sittings "front-ends" run |> List.exists (fun cells -> cells[5] = "True")) "the run of the lost node went on from its checkpoint"
        let long' = sittings "models" (Seq.exactlyOne (store.Runs "models"))
        Expect.isGreaterThan long'.Length 1 "the time limit was reached"
        Expect.isTrue (long'[1..] |> List.forall (fun cells -> cells[5] = "True")) "and each sitting went on from the one before"

        let state = bird "slurm" (four @ slurm @ [ "--state" ])
        Expect.stringContains state "4 finished" "the state"
        Expect.stringContains (bird "slurm" (four @ slurm @ settings)) "Nothing to submit" "all is done"
        bird "slurm" [ "report"; "front-ends" ] |> ignore
        Expect.isTrue (File.Exists(Path.Combine(folder, "report.html"))) "the report"

        // What waits is told, not submitted again, and can be cancelled.
        let later = grid data.Value [ "--epochs"; "3" ] @ slurm
        bird "slurm" (later @ settings @ [ "--sbatch"; "--begin=now+1hour" ]) |> ignore
        Expect.stringContains (bird "slurm" (later @ [ "--state" ])) "4 queued" "queued"
        Expect.stringContains (bird "slurm" (later @ settings)) "Nothing to submit" "not twice"
        Expect.stringContains (bird "slurm" (later @ [ "--cancel" ])) "Cancelled: job" "cancelled"
        Expect.stringContains (bird "slurm" (later @ [ "--state" ])) "4 missing" "and told so"
    }

let tests = testList "Slurm" [ script; real ]
