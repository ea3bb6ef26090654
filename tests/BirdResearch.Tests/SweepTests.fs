module BirdResearch.Tests.SweepTests

open System
open System.Collections.Generic
open Expecto
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Training

let private axis (text: string) = SweepAxis.Parse text
let private failure (work: unit -> unit) = try work (); "" with :? ArgumentException as e -> e.Message

/// A record that holds nothing but a focal mAP.
let private record (trial: Trial) (map: float) =
    let scores = DomainScores(10, 3, Nullable map, Nullable(), Nullable(), Nullable(), Nullable(), Nullable())
    RunRecord(
        Ablation = "a", Name = "n", Trial = trial, Model = ModelFacts("m", 1L, 1L, 1L, 1L), Data = DataFacts("d", "k", 3, 1, 1, 0, ""),
        Scores = (if Double.IsNaN map then Dictionary() else Dictionary(dict [ "focal", scores ])), Cost = RunCost(1.0, 1.0, 1.0, 1L, 1L, DateTime.UnixEpoch),
        Machine = Machine("", 1, 1, 1.0, "", "", "", ""))

let private rate (trial: Trial) = trial.Training.LearningRate

let tests =
    testList "Sweeps" [
        test "lists and ranges give the values of a grid" {
            for text, want in
                [ "k=8,16,32", [ "8"; "16"; "32" ]
                  "training.budget=10 epochs, 2 min", [ "10 epochs"; "2 min" ]
                  "k=1..9 3", [ "1"; "5"; "9" ]
                  "k=1..3 9", [ "1"; "2"; "3" ]
                  "learning_rate=1e-4..1e-2 log 3", [ "0.0001"; "0.001"; "0.01" ]
                  "drop_rate=0..0.5 3", [ "0"; "0.25"; "0.5" ] ] do
                Expect.equal (List.ofSeq ((axis text).Grid())) want text
        }
        test "what is no sweep is an error that shows one" {
            for text in [ "k"; "=3"; "k="; "k=8,8"; "k=9..3"; "k=a..b"; "k=0..3 log"; "k=1..3 fast"; "k=1..3 1" ] do
                Expect.stringContains (failure (fun () -> axis text |> ignore)) "path=low..high" text
            Expect.stringContains (failure (fun () -> (axis "k=1..3").Grid() |> ignore)) "number of steps" "a range in a grid"
        }
        test "a grid holds every combination once, as settings of the trial" {
            let trials = Sweep.Grid(Trial(), [| axis "training.learning_rate=1e-3,3e-3"; axis "batch_size=4,8,16" |])
            let want = [ for rate in [ 1e-3; 3e-3 ] do for size in [ 4; 8; 16 ] -> rate, size ]
            Expect.equal [ for t in trials -> t.Training.LearningRate, t.Training.BatchSize ] want "combinations"
            Expect.stringContains (failure (fun () -> Sweep.Grid(Trial(), [| axis "learning_rat=1,2" |]) |> ignore)) "training.learning_rate" "an unknown setting"
        }
        test "random draws stay in their ranges, are the same again, and grow at their end" {
            let axes = [| axis "training.learning_rate=1e-4..1e-2 log"; axis "batch_size=2..5"; axis "drop_rate=0.1..0.4"; axis "loss=bce,focal" |]
            let draw count seed = Sweep.Random(Trial(), axes, count, seed) |> List.ofSeq
            let many = draw 200 1
            Expect.equal (draw 50 1) (many |> List.take 50) "longer begins alike"
            Expect.notEqual (draw 50 2) (draw 50 1) "another seed"
            for t in many do
                Expect.isTrue (rate t >= 1e-4 && rate t <= 1e-2 && t.Training.DropRate >= 0.1 && t.Training.DropRate <= 0.4) "within"
            Expect.equal (many |> List.map _.Training.BatchSize |> List.distinct |> List.sort) [ 2; 3; 4; 5 ] "each whole number"
            Expect.equal (many |> List.map _.Training.Loss |> List.distinct |> List.length) 2 "each of the list"
            let below = many |> List.filter (fun t -> rate t < 1e-3) |> List.length
            Expect.isTrue (below > 70 && below < 130) $"{below} of 200 in the lower of two decades"
        }
        test "halving goes through the steps that it should, and the best candidate comes through" {
            let candidates = [ for i in 1..9 -> Trial(Training = TrainingSettings(LearningRate = float i * 1e-3, Budget = Budget.OfEpochs 18)) ]
            let grid = Ablation("a", "", ResizeArray candidates).Over [| 1; 2 |]
            let asked = ResizeArray()
            // Candidate 7 is the best; the seed counts for less than the candidates' distance.
            let score (t: Trial) = 1.0 - abs (rate t - 7.2e-3) * 100.0 + 0.001 * float t.Seed
            let run (a: Ablation) =
                asked.Add [ for t in a.Trials -> int (Math.Round(rate t * 1e3)), t.Seed, string t.Training.Budget ]
                ResizeArray [ for t in a.Trials -> record t (score t) ] :> IReadOnlyList<RunRecord>
            let steps = ResizeArray()
            let last = Halving(Eta = 3, Rungs = 3).Run(grid, run, fun rung -> steps.Add(string rung))
            let told = [ for step in asked -> step |> List.map (fun (i, _, b) -> i, b) |> List.distinct ]
            Expect.equal told
                [ [ for i in 1..9 -> i, "2 epochs" ]
                  [ 7, "6 epochs"; 8, "6 epochs"; 6, "6 epochs" ]
                  [ 7, "18 epochs" ] ] "candidates and budgets"
            for step in asked do
                Expect.equal (step |> List.countBy (fun (i, _, _) -> i) |> List.map snd |> List.distinct) [ 2 ] "both seeds of each"
            Expect.equal [ for r in last -> rate r.Trial, r.Trial.Seed ] [ 7e-3, 1; 7e-3, 2 ] "the last step's records"
            Expect.equal steps[1] "Step 2 of 3: 3 candidates, 6 epochs each." "in words"
        }
        test "a candidate without a score loses, and a ninth of every currency is a ninth" {
            for budget, first in [ Budget.OfSeconds 90.0, "10 seconds"; Budget.OfMultiplyAdds 9e12, "1e+12 multiply-adds"; Budget.OfClips 10L, "2 clips" ] do
                let grid = Ablation("a", "", [| for i in 1..3 -> Trial(Training = TrainingSettings(LearningRate = float i * 1e-3, Budget = budget)) |])
                let budgets = ResizeArray()
                let run (a: Ablation) =
                    budgets.Add(string a.Trials[0].Training.Budget)
                    ResizeArray [ for t in a.Trials -> record t (if rate t < 2.5e-3 then nan else 0.1) ] :> IReadOnlyList<RunRecord>
                let last = Halving(Eta = 3, Rungs = 3).Run(grid, run)
                Expect.equal [ for r in last -> rate r.Trial ] [ 3e-3 ] "the scored one"
                Expect.equal budgets[0] first "its part"
        }
    ]
