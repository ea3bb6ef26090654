module BirdResearch.Tests.ComparisonTests

open System
open System.IO
open BirdResearch.Analysis
open BirdResearch.Metrics
open BirdResearch.Tests.InventedRuns
open Expecto

/// A folder of its own for one test, removed afterwards.
let inFolder (test: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("bird-comparisons-").FullName

    try
        test (Directory.CreateDirectory(Path.Combine(folder, "front-ends")).FullName)
    finally
        Directory.Delete(folder, recursive = true)

let private close (want: float) (got: float) (what: string) = Expect.floatClose Accuracy.high got want what

let private normal (random: Random) =
    sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

/// A repeated experiment: how far scores are moved by the recording, by what an arm makes of it, by the seed, and by both together.
type private World =
    { Recordings: int
      Classes: int
      Folds: int
      Seeds: int
      /// Skill of each arm.
      Skills: float list
      OfRecording: float
      OfArmAndRecording: float
      OfSeed: float
      OfRun: float }

let private world =
    { Recordings = 40; Classes = 8; Folds = 1; Seeds = 3; Skills = [ 1.5; 1.5 ]; OfRecording = 0.6; OfArmAndRecording = 0.3; OfSeed = 0.25; OfRun = 0.5 }

/// Scores of every arm's runs by fold and seed, of recordings with one class each.
let private draw (random: Random) (world: World) =
    let shared =
        [| for _ in 1 .. world.Folds ->
               Array.init world.Recordings (fun _ -> world.OfRecording * normal random),
               Array.init (world.Recordings * world.Classes) (fun _ -> 0.7 * normal random) |]

    [ for arm, skill in List.indexed world.Skills ->
          $"arm {arm}",
          [ for fold in 0 .. world.Folds - 1 do
                let ease, noise = shared[fold]
                let ofArm = Array.init world.Recordings (fun _ -> world.OfArmAndRecording * normal random)

                for seed in 1 .. world.Seeds do
                    let ofSeed = world.OfSeed * normal random
                    let ofRun = Array.init world.Recordings (fun _ -> world.OfRun * normal random)
                    let truth = Array.init noise.Length (fun cell -> cell / world.Classes % world.Classes = cell % world.Classes)

                    let values =
                        truth
                        |> Array.mapi (fun cell present ->
                            let row = cell / world.Classes
                            (if present then skill + ofSeed + ease[row] + ofArm[row] + ofRun[row] else 0.0) + noise[cell] + world.OfRun * normal random)

                    let ids = [| for row in 1 .. world.Recordings -> $"XC{fold}-{row}" |]
                    fold, seed, Scores("focal", ids, [| for c in 1 .. world.Classes -> $"c{c}" |], truth, values) ] ]

/// Comparisons of as many experiments, each drawn anew from its number.
let private repeated (count: int) (world: World) =
    Array.init count (fun index -> Comparisons.ofScores 200 300 "focal" (draw (Random(7000 + index)) world))

/// The difference of two arms' mAP over many worlds.
let private expectedDifference (world: World) =
    let once index =
        let means = [ for _, runs in draw (Random(200_000 + index)) world -> runs |> List.averageBy (fun (_, _, scores) -> Ranking.MeanAveragePrecision scores) ]
        means[0] - means[1]

    List.average [ for index in 1..1200 -> once index ]

let private share (condition: Comparison list -> bool) (experiments: Comparison list[]) =
    experiments |> Array.averageBy (fun found -> if condition found then 1.0 else 0.0)

let private parts =
    testList "parts" [
        test "t's tail and its inverse are those of published tables" {
            for freedom, probability, t in
                [ 1.0, 0.025, 12.7062047364; 2.0, 0.025, 4.30265272975; 4.0, 0.025, 2.7764451052; 10.0, 0.025, 2.22813885199
                  10.0, 0.2, 0.879057829; 30.0, 0.0005, 3.6459586; infinity, 0.025, 1.96 ] do
                Expect.floatClose Accuracy.low (Distributions.exceeded freedom probability) t $"t of {freedom} degrees exceeded with {probability}"
                if freedom < 100.0 then Expect.floatClose Accuracy.medium (Distributions.upperTail freedom t) probability "tail"
            close 0.5 (Distributions.upperTail 3.0 0.0) "middle"
            close (1.0 - Distributions.upperTail 3.0 1.7) (Distributions.upperTail 3.0 -1.7) "both sides"
        }

        test "mAP after an exchange equals mAP of the rows written out, ties, empty classes and windows of soundscapes included" {
            let random = Random 3
            let rows, classes = 150, 7
            let ids = [| for row in 0 .. rows - 1 -> $"night_{row / 10}_{5 * (row % 10 + 1)}" |]
            let truth = Array.init (rows * classes) (fun cell -> cell % classes < classes - 1 && random.NextDouble() < 0.1)
            let drawn () = truth |> Array.map (fun present -> Math.Round((if present then 0.7 else 0.0) + normal random, 1))
            let names = [| for c in 1..classes -> string c |]
            let left, right = Scores("soundscape", ids, names, truth, drawn ()), Scores("soundscape", ids, names, truth, drawn ())
            let masks = Swaps.masks 40 "soundscape" ids
            let ofLeft, ofRight = Swaps.maps masks left right

            for mask, gotLeft, gotRight in Array.zip3 masks ofLeft ofRight do
                let exchanged row = mask[row / 64] >>> (row % 64) &&& 1UL = 1UL
                for recording in 0 .. rows / 10 - 1 do
                    Expect.allEqual [ for row in 10 * recording .. 10 * recording + 9 -> exchanged row ] (exchanged (10 * recording)) "windows of one recording"
                let chosen (own: Scores) (other: Scores) =
                    Scores("soundscape", ids, names, truth, Array.init (rows * classes) (fun cell -> if exchanged (cell / classes) then other.Values[cell] else own.Values[cell]))
                close (Ranking.MeanAveragePrecision(chosen left right)) gotLeft "first run"
                close (Ranking.MeanAveragePrecision(chosen right left)) gotRight "second run"
            Expect.isTrue ((masks |> Array.distinct).Length > 38) "masks differ"
        }

        test "Holm's correction is that of a calculation by hand, and what was not tested does not count" {
            let got = Comparisons.holm [ 0.01; nan; 0.04; 0.03; 0.005 ]
            for want, got in List.zip [ 0.03; nan; 0.06; 0.06; 0.02 ] got do
                if Double.IsNaN want then Expect.isTrue (Double.IsNaN got) "nan" else close want got "corrected"
        }

        test "variances of arms that look like one are pooled, one that does not keeps its own" {
            let alike, _ = SeedNoise.moderated [| 1.0, 2.0; 1.3, 2.0; 0.8, 2.0; 1.1, 2.0 |]
            for variance, freedom in alike do
                close 1.05 variance "pooled"
                close 8.0 freedom "all degrees of freedom"
            let apart, _ = SeedNoise.moderated [| 1.0, 10.0; 1.1, 10.0; 0.9, 10.0; 400.0, 10.0 |]
            Expect.isLessThan (fst apart[0]) 10.0 "the quiet ones stay quiet"
            Expect.isGreaterThan (fst apart[3]) 250.0 "the noisy one stays noisy"
        }

        test "trigamma and digamma are those of published tables" {
            close -0.5772156649 (Distributions.digamma 1.0) "digamma of 1"
            close (Math.PI * Math.PI / 6.0) (Distributions.trigamma 1.0) "trigamma of 1"
            close 0.7 (Distributions.trigammaInverse (Distributions.trigamma 0.7)) "its inverse"
        }

        test "arms share a letter just where they are not told apart" {
            inFolder (fun folder ->
                for model in [ "w"; "x"; "y"; "z" ] do write folder { baseline with Model = model } |> ignore
                let arms = (Runs.load folder).Runs |> Arms.ofRuns
                let comparisons = Comparisons.ofArms "focal" arms
                let label model = $"{model} · mel"

                for apart in [ []; [ "w", "z" ]; [ "w", "y"; "w", "z"; "x", "z" ]; [ "w", "x"; "y", "z" ]; [ "w", "x"; "w", "y"; "w", "z"; "x", "y"; "x", "z"; "y", "z" ] ] do
                    let labels = apart |> List.map (fun (left, right) -> set [ label left; label right ])
                    let told = comparisons |> List.map (fun found -> { found with ToldApart = List.contains (set [ found.Left; found.Right ]) labels })
                    let letters = Comparisons.letters told arms

                    for found in told do
                        let common = Set.intersect (set letters[found.Left]) (set letters[found.Right])
                        Expect.equal common.IsEmpty found.ToldApart $"{found.Left} {letters[found.Left]} and {found.Right} {letters[found.Right]}"
                    Expect.isTrue (letters.Values |> Seq.exists (fun own -> own.Contains 'a')) "the first letter is used")
        }

        test "pairs of arms are tested within one budget only, and two arms without scores have a note" {
            inFolder (fun folder ->
                for model in [ "x"; "y" ] do
                    for seed in [ 1; 2 ] do write folder { baseline with Model = model; Seed = seed } |> ignore
                let other = Path.Combine(write folder { baseline with Model = "z" }, "run.json")
                File.WriteAllText(other, File.ReadAllText(other).Replace("12 epochs", "90 seconds"))
                let arms = (Runs.load folder).Runs |> Arms.ofRuns
                Expect.equal [ for found in Comparisons.ofArms "focal" arms -> found.Left, found.Right ] [ "x · mel", "y · mel" ] "pairs"
                let text = Reading.paragraphs (Comparisons.ofArms "focal" arms) arms |> String.concat "\n"
                Expect.stringContains text "2 different budgets; they are compared within each, never across" "the text names it"
                Expect.stringContains text "Each training was given 90 seconds" "each budget"
                for run in arms.Head.Runs do File.Delete(Path.Combine(run.Folder, "scores.focal.csv"))
                let found = Comparisons.ofArms "focal" arms |> List.exactlyOne
                Expect.isFalse found.ToldApart "not tested"
                Expect.stringContains found.Note "no scores.focal.csv" "why")
        }
    ]

let private repeats =
    testList "repeated experiments" [
        test "two copies of one arm are called different in at most 5 of 100 experiments" {
            for name, world in
                [ "3 seeds, 1 fold", world
                  "2 seeds, 4 folds", { world with Seeds = 2; Folds = 4; Recordings = 18; Classes = 6 }
                  "few recordings", { world with Recordings = 12; Classes = 4 }
                  "one seed, 4 folds", { world with Seeds = 1; Folds = 4; Recordings = 18; Classes = 6 }
                  "one seed of arms that seeds do not move", { world with Seeds = 1; OfSeed = 0.0 } ] do
                let alarms = repeated 200 world |> share (List.exists _.ToldApart)
                Expect.isLessThanOrEqual alarms 0.05 $"{name}: share of false alarms"
        }

        test "among five copies of one arm none is told apart from another in at least 95 of 100 experiments" {
            let alarms = repeated 60 { world with Skills = List.replicate 5 1.5 } |> share (List.exists _.ToldApart)
            Expect.isLessThanOrEqual alarms 0.05 "share of families with a false alarm"
        }

        test "intervals of a difference hold the expected one in at least 93 of 100 experiments" {
            for name, world in
                [ "3 seeds, 1 fold", world
                  "seeds matter most", { world with OfSeed = 0.6 }
                  "2 seeds, 4 folds", { world with Seeds = 2; Folds = 4; Recordings = 18; Classes = 6 } ] do
                let found = repeated 200 { world with Skills = [ 1.9; 1.5 ] } |> Array.map List.exactlyOne
                let expected = expectedDifference { world with Skills = [ 1.9; 1.5 ] }
                let held = found |> Array.averageBy (fun one -> if one.Interval.Value.Low <= expected && expected <= one.Interval.Value.High then 1.0 else 0.0)
                Expect.isGreaterThanOrEqual held 0.93 $"{name}: share that holds {expected}"
        }

        test "intervals of a mean hold the expected score in at least 93 of 100 experiments, which they do not without seeds" {
            let world = { world with OfSeed = 0.6; Skills = [ 1.5; 1.5 ] }
            let means (arms: (string * (int * int * Scores) list) list) = [ for _, runs in arms -> runs |> List.averageBy (fun (_, _, scores) -> Ranking.MeanAveragePrecision scores) ]
            let expected = List.average [ for index in 1..400 do yield! means (draw (Random(90_000 + index)) world) ]
            let holds (interval: Interval option) = interval.Value.Low <= expected && expected <= interval.Value.High
            let experiments = [ for index in 1..150 -> draw (Random(50_000 + index)) world |> List.map snd ]
            let share (found: Interval option list) = found |> List.averageBy (fun interval -> if holds interval then 1.0 else 0.0)
            Expect.isGreaterThanOrEqual (experiments |> List.collect (Intervals.ofMeans 200) |> share) 0.93 "with seeds"
            let alone = experiments |> List.collect (List.collect (List.truncate 1 >> List.singleton >> Intervals.ofMeans 200))
            Expect.isLessThan (share alone) 0.93 "of one seed each"
        }

        test "a real difference is found, and a detectable one in about 80 of 100 experiments" {
            let found = repeated 60 { world with Skills = [ 2.6; 1.2 ] }
            Expect.isGreaterThan (share (List.forall _.ToldApart) found) 0.8 "share found"
            let world = { world with Skills = [ 2.05; 1.5 ]; OfSeed = 0.1 }
            let experiments = repeated 150 world |> Array.map List.exactlyOne
            let expected = expectedDifference world
            let power = experiments |> Array.averageBy (fun one -> if one.P < 0.05 then 1.0 else 0.0)
            let detectable = experiments |> Array.averageBy _.Detectable
            // Were the detectable difference the expected one, power would be 0.8: power and the ratio of the two go together.
            let ratio = expected / detectable
            if ratio > 1.0 then Expect.isGreaterThan power 0.75 $"power at {ratio} times the detectable difference"
            else Expect.isTrue (power < 0.85 && power > 0.8 * ratio - 0.25) $"power {power} at {ratio} times the detectable difference"
        }
    ]

let tests = testList "comparisons" [ parts; repeats ]
