module BirdResearch.Tests.ClaimTests

open System
open System.IO
open System.Threading
open System.Threading.Tasks
open Expecto
open BirdResearch.Claims

/// A clock that stands until it is moved.
type private StandingClock() =
    inherit TimeProvider()
    let mutable ticks = 0L
    member _.Move(seconds: float) = ticks <- ticks + int64 (seconds * 1e7)
    override _.TimestampFrequency = 10_000_000L
    override _.GetTimestamp() = ticks

/// A worker on a machine of which this one knows nothing.
let foreigner name lease = ClaimHolder(Host = name, ProcessId = 1, ProcessSpace = $"boot of {name}", ProcessStart = "1", LeaseSeconds = lease)

let fresh () =
    let folder = Scratch.fresh ()
    Path.Combine(folder, "a.run.claim")

let files (path: string) = [ for f in Directory.GetFiles(nonNull (Path.GetDirectoryName path)) -> nonNull (Path.GetFileName f) ]

let private watch () = ClaimWatch(ClaimHolder.Here())

/// Takes what a watch finds open.
let private take (watch: ClaimWatch) path me = Claim.TryTake(watch.Look path, me)

/// A view by which a claim may be taken that has run out.
let runOut path =
    let clock = StandingClock()
    let late = ClaimWatch(ClaimHolder.Here(), clock)
    let before = late.Look path
    clock.Move 1e9
    let after = late.Look path
    before, after

let private holds (claim: Claim) = try claim.Check(); true with :? ClaimLostException -> false

let private rule =
    testList "rule" [
        test "of many that try at once one gets it, round after round" {
            let path = fresh ()
            for round in 1..40 do
                let view = (watch ()).Look path
                let taken = Array.Parallel.init 8 (fun i -> Claim.TryTake(view, foreigner $"host {i}" 60.0)) |> Array.choose Option.ofObj
                Expect.equal taken.Length 1 $"round {round}"
                Expect.isTrue (taken[0].Generation = int64 round) "its token is one more than the last"
                Expect.isFalse ((watch ()).Look(path).IsOpen) "held"
                taken[0].Dispose()
        }
        test "what is given back may be taken at once, what is done leaves nothing behind" {
            let path = fresh ()
            use first = nonNull (take (watch ()) path (foreigner "a" 60.0))
            Expect.isNull (take (watch ()) path (foreigner "b" 60.0)) "held"
            first.Dispose()
            use second = nonNull (take (watch ()) path (foreigner "b" 60.0))
            Expect.isGreaterThan second.Generation first.Generation "the token grows"
            second.Fail "no memory"
            let view = (watch ()).Look path
            Expect.equal ((nonNull view.Note).State, (nonNull view.Note).Message) (ClaimState.Failed, "no memory") "why"
            use third = nonNull (Claim.TryTake(view, foreigner "c" 60.0))
            third.Complete()
            Expect.isEmpty (files path) "files"
        }
        test "a claim runs out when it was seen unchanged for a lease, whatever the clocks of its host say" {
            for skew in [ -30.0; 0.0; 30.0 ] do
                let path, clock = fresh (), StandingClock()
                let note = $$$"""{"holder":{"host":"far","process_id":7,"process_space":"x","process_start":"1","lease_seconds":60},"state":"held","since":"{{{DateTime.UtcNow.AddDays skew:O}}}","last_beat":"{{{DateTime.UtcNow.AddDays skew:O}}}"}"""
                File.WriteAllText($"{path}-3", note)
                let watch = ClaimWatch(ClaimHolder.Here(), clock)
                let openAfter (seconds: float) = clock.Move seconds; watch.Look(path).IsOpen
                Expect.equal [ openAfter 0.0; openAfter 59.0; openAfter 2.0 ] [ false; false; true ] $"clock off by {skew} days"
                File.WriteAllText($"{path}-3", note + " ")
                Expect.equal [ openAfter 0.0; openAfter 59.0; openAfter 2.0 ] [ false; false; true ] "a sign of life in between"
                let view = watch.Look path
                Expect.isTrue view.IsOrphan "its holder died with it"
                use claim = nonNull (Claim.TryTake(view, foreigner "b" 60.0))
                Expect.equal claim.Generation 4L "the token goes on"
        }
        test "a file that is being written counts as a sign of life and runs out too" {
            let path, clock = fresh (), StandingClock()
            File.WriteAllText($"{path}-1", "{\"holder\":{\"ho")
            let watch = ClaimWatch(foreigner "me" 10.0, clock)
            Expect.isFalse (watch.Look(path).IsOpen) "at first"
            clock.Move 11.0
            Expect.isTrue (watch.Look(path).IsOpen) "after the watcher's own lease"
        }
        test "a claim that is renewed does not run out" {
            let path = fresh ()
            use claim = nonNull (take (watch ()) path (foreigner "a" 0.4))
            let watch = watch ()
            let until = DateTime.UtcNow.AddSeconds 2.0
            while DateTime.UtcNow < until do
                Expect.isFalse (watch.Look(path).IsOpen) "renewed"
                Thread.Sleep 50
            Expect.isTrue (holds claim) "still his"
            Expect.isFalse claim.Lost.IsCancellationRequested "not lost"
        }
        test "a dead process of this machine is not waited for, and a live one or another machine's is" {
            if not (OperatingSystem.IsLinux()) then skiptest "only Linux tells which processes of its own are gone"
            let opens (holder: ClaimHolder) =
                let path = fresh ()
                use _ = nonNull (take (watch ()) path holder)
                (watch ()).Look(path).IsOpen
            let me = ClaimHolder.Here()
            Expect.isNotEmpty me.ProcessSpace "known"
            let other id start = ClaimHolder(Host = me.Host, ProcessId = id, ProcessSpace = me.ProcessSpace, ProcessStart = start)
            Expect.isFalse (opens me) "alive"
            Expect.isTrue (opens (other 4194303 "1")) "no such process"
            Expect.isTrue (opens (other me.ProcessId "1")) "its number is used again"
            Expect.isFalse (opens (foreigner me.Host 60.0)) "a process of that name elsewhere"
        }
    ]

let private sleepers =
    testList "sleepers" [
        test "of many thieves one wins, and who slept past the lease learns it before writing and does no harm" {
            for round in 1..10 do
                let path = fresh ()
                use sleeper = nonNull (take (watch ()) path (foreigner "sleeper" 3600.0))
                Expect.isTrue (holds sleeper) "at first"
                let before, after = runOut path
                Expect.equal (before.IsOpen, after.IsOpen) (false, true) "run out"
                let thieves = Array.Parallel.init 6 (fun i -> Claim.TryTake(after, foreigner $"thief {i}" 60.0)) |> Array.choose Option.ofObj
                Expect.equal thieves.Length 1 $"round {round}"
                Expect.isFalse (holds sleeper) "it is told"
                Expect.throwsT<ClaimLostException> (fun () -> sleeper.Seal()) "nor can it finish"
                Expect.isTrue sleeper.Lost.IsCancellationRequested "and what it does is cancelled"
                sleeper.Dispose()
                sleeper.Complete()
                Expect.isTrue (holds thieves[0]) "the thief's claim stands"
                thieves[0].Seal()
                thieves[0].Complete()
                Expect.isEmpty (files path) "files"
        }
        test "a sleeper that wakes up cancels its work by itself" {
            let path = fresh ()
            use sleeper = nonNull (take (watch ()) path (foreigner "sleeper" 0.4))
            use thief = nonNull (Claim.TryTake(ClaimView(path, 1L, null, true), foreigner "thief" 60.0))
            Expect.isTrue (sleeper.Lost.WaitHandle.WaitOne 10_000) "lost"
            Expect.isTrue (holds thief) "the thief's"
        }
        test "whoever has sealed cannot be robbed with what was seen before" {
            let path = fresh ()
            let old = (watch ()).Look path
            use holder = nonNull (take (watch ()) path (foreigner "a" 60.0))
            let _, seen = runOut path
            holder.Seal()
            Expect.isNull (Claim.TryTake(seen, foreigner "b" 60.0)) "seen before the seal"
            Expect.isNull (Claim.TryTake(old, foreigner "c" 60.0)) "seen before it was taken, when no file was there"
            Expect.isTrue (holds holder) "still his"
            Expect.equal (files path) [ "a.run.claim-2" ] "files"
        }
    ]

let private waiting =
    test "who waits gets the claim when it is given back, and nothing when the work is done" {
        let path = fresh ()
        let first = nonNull (take (watch ()) path (foreigner "first" 60.0))
        use told = new CountdownEvent 2
        let mutable finished = 0
        let wait name isDone =
            Task.Run(fun () ->
                match Claim.Wait(path, foreigner name 1.0, isDone, (fun by -> Expect.equal (nonNull by).Holder.Host "first" "who"; told.Signal() |> ignore), CancellationToken.None) with
                | null -> 0
                | claim ->
                    Interlocked.Increment(&finished) |> ignore
                    claim.Complete()
                    1)
        let isDone () = Volatile.Read(&finished) > 0
        let two = [| wait "b" isDone; wait "c" isDone |]
        Expect.isTrue (told.Wait 10_000) "both were told who has it"
        first.Dispose()
        Expect.equal (two |> Array.sumBy _.Result) 1 "one of the two did it"
    }

let tests = testList "Claims" [ rule; sleepers; waiting ]
