module BirdResearch.Tests.PredictionTests

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Expecto
open BirdResearch.Audio
open BirdResearch.Inference
open BirdResearch.Inference.Prediction
open BirdResearch.Inference.Submission
open BirdResearch.Tests.Listening
open BirdResearch.Tests.SmallData

let private birds = [ "wren"; "robin"; "owl" ]

let private member' name rate seconds cost = Member(new Listener(card name rate seconds birds, cost) :> IWindowClassifier)

/// Scores a folder; gives the predictor, the predictions and every table that was written on the way.
let private predictWith (settings: PredictorSettings) (members: Member list) (folder: TestFolder) =
    let predictions = Predictions(SubmissionPlan.Of(folder, birds), members)
    let written = List<float32[]>()
    let notes = List<string>()
    let listener = { new IProgress<PredictionProgress> with member _.Report value = match value.Note with null -> () | note -> lock notes (fun () -> notes.Add note) }
    let predictor = Predictor(predictions, settings, (fun () -> written.Add((Combination.Of predictions.Members).Combine predictions)), listener)
    predictor, predictions, written, notes

let private predict settings members folder =
    let predictor, predictions, written, notes = predictWith settings members folder
    predictor.Run()
    predictor, predictions, written, notes

let private rowsOf (predictions: Predictions) stem =
    let table = (Combination.Of predictions.Members).Combine predictions
    [ for r in predictions.Plan.Recordings do
        if r.Recording.Stem = stem then
            for i in 0 .. r.Rows.Count - 1 -> List.ofArray table[(r.First + i) * 3 .. (r.First + i) * 3 + 2] ]

/// What a member said of a row in a column.
let private said (p: Predictions) (m: int) (row: int) (column: int) =
    let columns = p.Of(m, row)
    float columns[column]

let private plain = PredictorSettings(Workers = 2, BatchSize = 4)

let tests =
    testList "Prediction" [
        test "each row is what the model hears in its own 5 s, the last one padded with its sound again" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 12.0)                       // sample i is i / 100000 at 8 kHz
            let _, predictions, _, _ = predict plain [ member' "m" 8000 5.0 ignore ] (TestFolder.Open folder.Root)
            let firstOf row = sigmoid (float32 (row * 40_000) / 100_000f)
            let rows = rowsOf predictions "a"
            for row in 0 .. 2 do Expect.equal rows.[row].[0] (firstOf row) $"first sample of row {row}"
            // 2 s of sound in a window of 5 s: twice whole, then its first half; the last sample is that of its middle.
            Expect.equal rows.[2].[2] (sigmoid (float32 (80_000 + 7_999) / 100_000f)) "last sample of the padded row"
        }

        test "a model of short windows hears several per row, one of long windows hears the row amid its surroundings" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 20.0)
            let _, short, _, _ = predict plain [ member' "short" 8000 2.5 ignore ] (TestFolder.Open folder.Root)
            let at seconds = sigmoid (float32 (seconds * 8000.0) / 100_000f)
            Expect.floatClose Accuracy.medium (float (rowsOf short "a").[1].[0]) (float (at 5.0 + at 7.5) / 2.0) "two windows of row 1"
            let _, long, _, _ = predict plain [ member' "long" 8000 10.0 ignore ] (TestFolder.Open folder.Root)
            Expect.equal [ for row in rowsOf long "a" -> row[0] ] [ at 0.0; at 2.5; at 7.5; at 10.0 ] "starts of 10 s windows, held inside the recording"
        }

        test "corrupt, empty, 39-second and 48 kHz stereo files change nothing for the others, which are the same bit by bit" {
            use folder = new Scratch()
            for name in [ "a"; "k"; "z" ] do folder.Ramp(name + ".wav", 15.0)
            let members () = [ member' "m" 8000 5.0 ignore; member' "n" 16000 5.0 ignore ]
            let _, alone, _, _ = predict plain (members ()) (TestFolder.Open folder.Root)
            let before = [ for s in [ "a"; "k"; "z" ] -> rowsOf alone s ]
            folder.Text("corrupt.ogg", [ "OggS and then nothing of the kind" ])
            File.WriteAllBytes(folder.Path "empty.ogg", [||])
            folder.Ramp("long.wav", 39.0)
            let stereo = [| for i in 0 .. 48_000 * 6 * 2 - 1 -> float32 (i % 100) / 200f |]
            File.WriteAllBytes(folder.Path "stereo.wav", [|
                yield! "RIFF"B; yield! BitConverter.GetBytes(36 + stereo.Length * 4); yield! "WAVEfmt "B; yield! BitConverter.GetBytes 16
                yield! BitConverter.GetBytes 3s; yield! BitConverter.GetBytes 2s; yield! BitConverter.GetBytes 48_000; yield! BitConverter.GetBytes(48_000 * 8)
                yield! BitConverter.GetBytes 8s; yield! BitConverter.GetBytes 32s; yield! "data"B; yield! BitConverter.GetBytes(stereo.Length * 4)
                for x in stereo do yield! BitConverter.GetBytes x |])
            let whole = File.ReadAllBytes(folder.Path "k.wav")
            File.WriteAllBytes(folder.Path "cut.wav", whole[.. whole.Length / 2])
            let _, among, _, _ = predict plain (members ()) (TestFolder.Open folder.Root)
            Expect.equal [ for s in [ "a"; "k"; "z" ] -> rowsOf among s ] before "rows of the others"
            Expect.equal (rowsOf among "long" |> List.length, rowsOf among "stereo" |> List.length) (8, 2) "rows of the odd ones"
            let prior = List.ofSeq among.Prior
            for stem in [ "corrupt"; "empty" ] do
                Expect.equal (rowsOf among stem) (List.replicate 3 prior) $"{stem} holds the prior"
            Expect.notEqual (List.head (rowsOf among "stereo")) prior "48 kHz stereo is heard"
        }

        test "rows are the same for one worker and four, for batches of 1 and 16" {
            use folder = new Scratch()
            for i in 1 .. 9 do folder.Ramp($"r{i}.wav", 3.0 + 4.0 * float i)
            let table workers batch =
                let _, p, _, _ = predict (PredictorSettings(Workers = workers, BatchSize = batch, StretchRows = 3)) [ member' "m" 8000 5.0 ignore; member' "n" 8000 2.0 ignore ] (TestFolder.Open folder.Root)
                ((Combination.Of p.Members).Combine p)
            let one = table 1 1
            Expect.equal (table 4 16) one "four workers"
            Expect.equal (table 3 5) one "three workers"
        }

        test "a member that knows other classes fills its columns only; one that knows none is refused" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 5.0)
            let other = Member(new Listener(card "other" 8000 5.0 [ "owl"; "heron" ], ignore))
            let _, p, _, _ = predict plain [ member' "m" 8000 5.0 ignore; other ] (TestFolder.Open folder.Root)
            Expect.isTrue (p.Knows(1, 2) && not (p.Knows(1, 0))) "what it knows"
            let stranger = Member(new Listener(card "stranger" 8000 5.0 [ "heron" ], ignore))
            Expect.throwsC (fun () -> predict plain [ stranger ] (TestFolder.Open folder.Root) |> ignore) (fun e -> Expect.stringContains e.Message "stranger" "names it")
        }

        test "with time to spare a deadline changes nothing" {
            use folder = new Scratch()
            for i in 1 .. 6 do folder.Ramp($"r{i}.wav", 20.0)
            let clock = HandClock()
            let settings = PredictorSettings(Workers = 1, Clock = clock, Deadline = Nullable 1_000_000_000L)
            let predictor, p, _, notes = predict settings [ member' "a" 8000 5.0 (fun () -> clock.Advance 1.0); member' "b" 8000 5.0 (fun () -> clock.Advance 2.0) ] (TestFolder.Open folder.Root)
            Expect.isFalse predictor.IsIncomplete "complete"
            Expect.equal (List.ofSeq predictor.RowsOf) [ 24; 24 ] "all rows by both"
            Expect.isEmpty notes "nothing to tell"
            Expect.equal (((Combination.Of p.Members).Combine p)).Length (24 * 3) "all cells"
        }

        test "when time is short the member of least value per second is left out, never a row, and the end comes in time" {
            use folder = new Scratch()
            for i in 1 .. 20 do folder.Ramp($"r{i}.wav", 20.0)                        // 80 rows
            let clock = HandClock()
            let quick = member' "quick" 8000 5.0 (fun () -> clock.Advance 1.0)         // 80 s
            let slow = Member(new Listener(card "slow" 8000 5.0 birds, fun () -> clock.Advance 10.0), 2.0) // 800 s, twice the value
            let settings = PredictorSettings(Workers = 1, BatchSize = 4, Clock = clock, Deadline = Nullable 400_000_000L)
            let predictor, p, written, notes = predict settings [ slow; quick ] (TestFolder.Open folder.Root)
            let rows = List.ofSeq predictor.RowsOf
            Expect.equal rows.[1] 80 "the quick member scored every row"
            Expect.isTrue (rows[0] > 0 && rows[0] < 80) $"the slow one scored some when time remained: {rows[0]}"
            Expect.isTrue predictor.IsIncomplete "and that is told"
            Expect.isLessThanOrEqual (clock.GetTimestamp()) 400_000_000L "in time"
            Expect.isTrue (notes |> Seq.exists (fun n -> n.Contains "slow" && n.Contains "Left out")) $"%A{List.ofSeq notes}"
            Expect.all written (fun table -> table.Length = 240 && table |> Array.forall (fun x -> x >= 0f && x <= 1f)) "every table on the way is whole and valid"
            for r in 0 .. 79 do Expect.isTrue (p.IsScored(1, r)) $"row {r}"
        }

        test "when there is time for nothing but a part of the best member, the other rows keep the prior" {
            use folder = new Scratch()
            for i in 1 .. 10 do folder.Ramp($"r{i}.wav", 20.0)
            let clock = HandClock()
            let settings = PredictorSettings(Workers = 1, BatchSize = 4, Clock = clock, Deadline = Nullable 100_000_000L)
            let predictor, p, written, _ = predict settings [ member' "slow" 8000 5.0 (fun () -> clock.Advance 5.0) ] (TestFolder.Open folder.Root)
            let scored = predictor.RowsOf[0]
            Expect.isTrue (scored > 0 && scored < 40) $"{scored} of 40 rows"
            Expect.isLessThanOrEqual (clock.GetTimestamp()) 120_000_000L "at most one call late"
            let last = written[written.Count - 1]
            Expect.equal last[last.Length - 3 ..] (Array.ofSeq p.Prior) "the last row holds the prior"
        }

        test "a whole table is written before anything is scored, and again when the run is stopped" {
            use folder = new Scratch()
            for i in 1 .. 12 do folder.Ramp($"r{i}.wav", 10.0)
            use stop = new CancellationTokenSource()
            let heard = ref 0
            let predictor, p, written, _ =
                predictWith (PredictorSettings(Workers = 1, BatchSize = 1)) [ member' "m" 8000 5.0 (fun () -> if Interlocked.Increment heard = 7 then stop.Cancel()) ] (TestFolder.Open folder.Root)
            Expect.throwsT<OperationCanceledException> (fun () -> predictor.Run stop.Token) "it stops"
            Expect.equal written.[0] (Array.concat (Array.replicate 24 (Array.ofSeq p.Prior))) "the first table is the prior"
            let last = written[written.Count - 1]
            Expect.equal last.Length (24 * 3) "the last one has every row"
            Expect.equal (predictor.RowsOf[0]) 7 "with the seven that were scored"
        }

        test "a recording that vanishes after its header was read keeps the prior, is told of, and holds up nobody" {
            for deadline in [ Nullable(); Nullable 1_000_000_000_000L ] do
                use folder = new Scratch()
                for name in [ "a"; "b"; "c" ] do folder.Ramp(name + ".wav", 10.0)
                let settings = PredictorSettings(Workers = 2, Clock = HandClock(), Deadline = deadline)
                let predictor, p, written, notes = predictWith settings [ member' "m" 8000 5.0 ignore; member' "n" 16000 5.0 ignore ] (TestFolder.Open folder.Root)
                File.Delete(folder.Path "b.wav")
                predictor.Run()
                Expect.isFalse predictor.IsIncomplete "nothing is left to do"
                Expect.equal (List.ofSeq predictor.RowsOf) [ 4; 4 ] "rows of the others"
                Expect.equal (rowsOf p "b") (List.replicate 2 (List.ofSeq p.Prior)) "the prior"
                Expect.isTrue (notes |> Seq.exists (fun n -> n.Contains "b.wav")) "the log"
                Expect.equal written[written.Count - 1].Length 18 "a whole table"
        }

        test "a model that fails ends the run with its own error, not with a hang" {
            use folder = new Scratch()
            for i in 1 .. 8 do folder.Ramp($"r{i}.wav", 10.0)
            let broken = member' "broken" 8000 5.0 (fun () -> invalidOp "the model is on fire")
            Expect.throwsC (fun () -> predict (PredictorSettings(Workers = 4)) [ broken ] (TestFolder.Open folder.Root) |> ignore)
                (fun e -> Expect.stringContains e.Message "on fire" "its error")
        }

        test "logits that are not numbers are an error, and large ones become probabilities" {
            Expect.throws (fun () -> ScoreRule.Sigmoid.ToProbabilities(Span [| nanf |])) "NaN"
            let values = [| 1000f; -1000f; 0f |]
            ScoreRule.Sigmoid.ToProbabilities(Span values)
            Expect.equal values [| 1f; 0f; 0.5f |] "sigmoid"
            let shared = [| 1000f; 1000f; -1000f |]
            ScoreRule.Softmax.ToProbabilities(Span shared)
            Expect.equal shared [| 0.5f; 0.5f; 0f |] "softmax"
        }

        test "a rehearsal finds what each member costs, and from it the time of the whole test" {
            use folder = new Scratch()
            for i in 1 .. 10 do folder.Ramp($"r{i}.wav", 20.0)
            let clock = HandClock()
            let members = [ member' "a" 8000 5.0 (fun () -> clock.Advance 0.5); member' "b" 8000 2.5 (fun () -> clock.Advance 1.0) ]
            let settings = PredictorSettings(Workers = 1, Clock = clock)
            let pace = Rehearsal.Run(TestFolder.Open folder.Root, members, settings, 5.0, 60.0, 4)
            Expect.floatClose Accuracy.medium (pace.PerRow 0) 0.5 "one window per row"
            Expect.floatClose Accuracy.medium (pace.PerRow 1) 2.0 "two windows per row"
            let all = pace.Predict [ struct (0, 1000L); struct (1, 1000L) ]
            Expect.floatClose Accuracy.medium all.Seconds 2500.0 "both, for a thousand rows"
            Expect.isTrue (all.Low < 2500.0 && all.High > 2500.0 && all.High < 2700.0) $"{all}"
        }

        test "the interval of a predicted time grows with the spread of what was measured and holds the truth about as often as it says" {
            let random = Random 7
            let covered =
                [ for _ in 1 .. 400 ->
                    let pace = Pace(1, 1)
                    for _ in 1 .. 30 do pace.Add(0, 8, 8.0 * (1.0 + 0.5 * (random.NextDouble() + random.NextDouble() - 1.0)))
                    let spread = pace.Predict [ struct (0, 1000L) ]
                    spread.Low <= 1000.0 && 1000.0 <= spread.High ]
                |> List.filter id |> List.length
            Expect.isGreaterThan covered 380 "coverage of 400"
            let steady, uneven = Pace(1, 1), Pace(1, 1)
            for i in 1 .. 10 do
                steady.Add(0, 8, 8.0)
                uneven.Add(0, 8, (if i % 2 = 0 then 2.0 else 14.0))
            let width (pace: Pace) = let s = pace.Predict [ struct (0, 100L) ] in s.High - s.Low
            Expect.isGreaterThan (width uneven) (2.0 * width steady) "width"
        }

        test "what was scored before a stop is not scored again, and the end is the same bit by bit" {
            use folder = new Scratch()
            for i in 1 .. 10 do folder.Ramp($"r{i}.wav", 12.0)
            let settings = PredictorSettings(Workers = 1, BatchSize = 2)
            let path = folder.Path "submission.csv.journal"
            let whole = let _, p, _, _ = predict settings [ member' "m" 8000 5.0 ignore ] (TestFolder.Open folder.Root) in (Combination.Of p.Members).Combine p
            use stop = new CancellationTokenSource()
            let heard = ref 0
            let attempt (cost: unit -> unit) =
                let members = [ member' "m" 8000 5.0 cost ]
                let predictions = Predictions(SubmissionPlan.Of(TestFolder.Open folder.Root, birds), members)
                use journal = PredictionJournal.Open(path, predictions)
                let restored = journal.Restored
                let predictor = Predictor(predictions, settings, (fun () -> journal.Save()), null)
                (try predictor.Run stop.Token with :? OperationCanceledException -> ())
                if not predictor.IsIncomplete then journal.Delete()
                restored, (members.Head.Model :?> Listener).Calls, (Combination.Of members).Combine predictions
            let _, calls, _ = attempt (fun () -> if Interlocked.Increment heard = 11 then stop.Cancel())
            Expect.isLessThan calls 20 "stopped on the way"
            // A killed process leaves half a record; what stands before it counts.
            use file = new FileStream(path, FileMode.Append)
            file.Write([| 1uy; 0uy; 0uy; 0uy; 7uy |])
            file.Dispose()
            let members = [ member' "m" 8000 5.0 ignore ]
            let predictions = Predictions(SubmissionPlan.Of(TestFolder.Open folder.Root, birds), members)
            let restored =
                use journal = PredictionJournal.Open(path, predictions)
                Predictor(predictions, settings, (fun () -> journal.Save()), null).Run()
                let restored = journal.Restored
                journal.Delete()
                restored
            Expect.isTrue (restored >= 10 && restored < 30) $"{restored} rows were there"
            Expect.equal ((Combination.Of members).Combine predictions) whole "the same table"
            Expect.isFalse (File.Exists path) "nothing is left behind"
        }

        test "a journal of other recordings is not believed" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 10.0)
            let path = folder.Path "j"
            let score () =
                let predictions = Predictions(SubmissionPlan.Of(TestFolder.Open folder.Root, birds), [ member' "m" 8000 5.0 ignore ])
                use journal = PredictionJournal.Open(path, predictions)
                let restored = journal.Restored
                Predictor(predictions, plain, (fun () -> journal.Save()), null).Run()
                restored
            Expect.equal (score ()) 0 "the first time"
            Expect.equal (score ()) 2 "the same again"
            folder.Ramp("a.wav", 11.0)
            Expect.equal (score ()) 0 "another sound under the same name"
        }

        test "models of several folds are one member: the mean of their probabilities" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 10.0)
            let part name seconds = Member(new Listener(card name 8000 seconds birds, ignore), Part = "family")
            let alone = member' "alone" 8000 5.0 ignore
            let _, p, _, _ = predict plain [ part "f0" 5.0; part "f1" 4.0; alone ] (TestFolder.Open folder.Root)
            let table = (Combination.Of p.Members).Combine p
            for c in 0 .. 2 do
                let family = (said p 0 1 c + said p 1 1 c) / 2.0
                Expect.floatClose Accuracy.medium (float table[3 + c]) ((family + said p 2 1 c) / 2.0) $"class {c}"
        }

        test "a column that one member does not know is left to the others, and one that nobody knows holds 0" {
            use folder = new Scratch()
            folder.Ramp("a.wav", 10.0)
            folder.Text("s.csv", [ "row_id,owl,heron,unicorn"; "a_5,0,0,0" ])
            let known name classes = Member(new Listener(card name 8000 5.0 classes, ignore))
            let members = [ known "m" [ "owl" ]; known "n" [ "heron"; "owl" ] ]
            let plan = SubmissionPlan.Of(TestFolder.Open folder.Root, [], 5.0, SampleSubmission.Read(folder.Path "s.csv"))
            let p = Predictions(plan, members)
            Predictor(p, plain, (fun () -> ()), null).Run()
            Expect.equal (List.ofSeq p.UnknownColumns) [ "unicorn" ] "told"
            let table = (Combination.Of members).Combine p
            Expect.floatClose Accuracy.medium (float table[1]) (said p 1 0 1) "heron is n's alone"
            Expect.floatClose Accuracy.medium (float table[0]) ((said p 0 0 0 + said p 1 0 0) / 2.0) "owl is the mean"
            Expect.equal table[2] 0f "the unicorn"
        }
    ]
