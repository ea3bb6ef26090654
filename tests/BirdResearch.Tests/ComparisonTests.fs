module BirdResearch.Tests.ComparisonTests

open System
open BirdResearch.Analysis
open BirdResearch.Metrics
open Expecto

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

        test "a real difference is found" {
            let found = repeated 60 { world with Skills = [ 2.6; 1.2 ] }
            Expect.isGreaterThan (share (List.forall _.ToldApart) found) 0.8 "share found"
        }
    ]

let tests = testList "comparisons" [ parts; repeats ]
