module BirdResearch.Tests.MetricsTests

open System
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open BirdResearch.Metrics
open BirdResearch.Reference

let private ap (truth: bool[]) (scores: float[]) = Ranking.AveragePrecision(ReadOnlySpan truth, ReadOnlySpan scores)
let private auc (truth: bool[]) (scores: float[]) = Ranking.RocAuc(ReadOnlySpan truth, ReadOnlySpan scores)

/// By its definition: at each distinct score, precision and recall of everything that reaches it.
let private slowAp (truth: bool[]) (scores: float[]) =
    let positives = truth |> Array.filter id |> Array.length
    if positives = 0 then nan
    else
        scores
        |> Array.distinct
        |> Array.sortDescending
        |> Array.map (fun threshold ->
            let reached = Array.zip truth scores |> Array.filter (fun (_, s) -> s >= threshold)
            let found = reached |> Array.filter fst |> Array.length
            float found / float positives, float found / float reached.Length)
        |> Array.append [| 0.0, 1.0 |]
        |> Array.pairwise
        |> Array.sumBy (fun ((before, _), (recall, precision)) -> (recall - before) * precision)

/// By its definition: over all pairs of a true and a false row.
let private slowAuc (truth: bool[]) (scores: float[]) =
    let pick label = Array.zip truth scores |> Array.filter (fun (t, _) -> t = label) |> Array.map snd
    [| for p in pick true do
        for n in pick false do
            if p > n then 1.0 elif p = n then 0.5 else 0.0 |]
    |> fun wins -> if wins.Length = 0 then nan else Array.average wins

let private same (a: float) (b: float) = (Double.IsNaN a && Double.IsNaN b) || abs (a - b) < 1e-12

/// Rows of a label and a score of few values, so that ties are common.
let private split (rows: (bool * int) list) =
    rows |> List.map fst |> Array.ofList, rows |> List.map (fun (_, s) -> float (s % 7)) |> Array.ofList

let private scores (rows: int) (classes: int) (truth: bool[]) (values: float[]) =
    Scores("focal", [| for i in 1..rows -> $"row {i}" |], [| for i in 1..classes -> $"class {i}" |], truth, values)

/// A table of rows x classes cells, labels and scores drawn from a seed.
let private table (seed: int) (rows: int) (classes: int) =
    let random = Random seed
    let truth = Array.init (rows * classes) (fun _ -> random.Next 4 = 0)
    scores rows classes truth (Array.init (rows * classes) (fun _ -> float (random.Next 10) / 9.0))

let private column (table: Scores) (c: int) =
    let classes = table.Classes.Count
    let truth, values = table.Truth.ToArray(), table.Values.ToArray()
    [| for r in 0 .. table.Ids.Count - 1 -> truth[r * classes + c] |], [| for r in 0 .. table.Ids.Count - 1 -> values[r * classes + c] |]

let private meanOfDefined (values: float seq) =
    let defined = values |> Seq.filter (Double.IsNaN >> not) |> Array.ofSeq
    if defined.Length = 0 then nan else Array.average defined

let private messageOf (work: unit -> unit) =
    try work (); failtest "gave no error" with :? ArgumentException as e -> e.Message

let private properties =
    testList "by definition" [
        testProperty "average precision is the sum over distinct thresholds" <| fun rows ->
            let truth, values = split rows
            same (ap truth values) (slowAp truth values)
        testProperty "ROC-AUC is the share of pairs that are won" <| fun rows ->
            let truth, values = split rows
            same (auc truth values) (slowAuc truth values)
        testProperty "a monotone map of the scores changes neither average precision nor ROC-AUC" <| fun rows ->
            let truth, values = split rows
            let mapped = values |> Array.map (fun s -> exp (s / 3.0) - 4.0)
            same (ap truth values) (ap truth mapped) && same (auc truth values) (auc truth mapped)
        testProperty "the order of the rows changes neither average precision nor ROC-AUC" <| fun rows ->
            let truth, values = split rows
            let turned, back = Array.rev truth, Array.rev values
            same (ap truth values) (ap turned back) && same (auc truth values) (auc turned back)
        testProperty "turning the scores round turns ROC-AUC round" <| fun rows ->
            let truth, values = split rows
            let forth, back = auc truth values, auc truth (Array.map (~-) values)
            same forth (1.0 - back)
        testProperty "macro, micro, sample and padded mAP follow from their definitions" <| fun seed ->
            let t = table seed 12 5
            let classes = [ for c in 0..4 -> column t c ]
            let rows = [ for r in 0..11 -> t.Truth.Slice(r * 5, 5).ToArray(), t.Values.Slice(r * 5, 5).ToArray() ]
            let padded n (truth, values) = slowAp (Array.append truth (Array.create n true)) (Array.append values (Array.create n 1.0))
            same (Ranking.MeanAveragePrecision t) (classes |> Seq.map (fun (a, b) -> slowAp a b) |> meanOfDefined)
            && same (Ranking.MicroMeanAveragePrecision t) (slowAp (t.Truth.ToArray()) (t.Values.ToArray()))
            && same (Ranking.SampleMeanAveragePrecision t) (rows |> Seq.map (fun (a, b) -> slowAp a b) |> meanOfDefined)
            && same (Ranking.PaddedMeanAveragePrecision t) (classes |> Seq.averageBy (padded 5))
            && same (Ranking.PaddedMeanAveragePrecision(t, 2)) (classes |> Seq.averageBy (padded 2))
            && same (Ranking.MacroRocAucOfMixedClasses t) (classes |> Seq.map (fun (a, b) -> slowAuc a b) |> meanOfDefined)
    ]

let private edges =
    testList "edges" [
        test "average precision without positives and ROC-AUC of one label are undefined" {
            Expect.isTrue (Double.IsNaN(ap [| false; false |] [| 0.1; 0.2 |])) "no positives"
            Expect.isTrue (Double.IsNaN(ap [||] [||])) "no rows"
            Expect.isTrue (Double.IsNaN(auc [| true; true |] [| 0.1; 0.2 |])) "only positives"
            Expect.isTrue (Double.IsNaN(auc [| false |] [| 0.1 |])) "only negatives"
        }
        test "infinite scores are ranked" {
            Expect.equal (ap [| true; false; true |] [| infinity; 0.0; -infinity |]) (0.5 + 0.5 * 2.0 / 3.0) "AP"
            Expect.equal (auc [| true; false; true |] [| infinity; 0.0; -infinity |]) 0.5 "AUC"
        }
        test "a million rows are ranked in one sort" {
            let n = 1_000_000
            let truth = Array.init n (fun i -> i % 2 = 0)
            Expect.equal (ap truth (Array.init n (fun i -> if i % 2 = 0 then float i else -float i))) 1.0 "AP"
            Expect.equal (auc truth (Array.create n 0.5)) 0.5 "AUC"
        }
        test "a NaN among plain scores is an error that says where" {
            let message = messageOf (fun () -> ap [| true; false; true |] [| 0.0; nan; 1.0 |] |> ignore)
            Expect.stringContains message "Score 1 of 3 is NaN" ""
            Expect.stringContains (messageOf (fun () -> auc [| true |] [| nan |] |> ignore)) "Score 0 of 1 is NaN" ""
        }
        test "a NaN in a table of scores is an error that names its row and class" {
            let message = messageOf (fun () -> scores 2 2 (Array.create 4 true) [| 0.0; 1.0; nan; 0.5 |] |> ignore)
            Expect.stringContains message "row 2" ""
            Expect.stringContains message "class 1" ""
        }
        test "labels and scores of different lengths are an error" {
            Expect.stringContains (messageOf (fun () -> ap [| true |] [| 0.0; 1.0 |] |> ignore)) "1 labels and 2 scores" ""
        }
        test "BirdCLEF 2024's ROC-AUC skips a class without positives and is undefined with a class of nothing else" {
            let values = [| 0.9; 0.1; 0.4; 0.2; 0.8; 0.3 |]
            let skipping = scores 3 2 [| true; false; false; false; true; false |] values
            Expect.equal (Ranking.MacroRocAuc skipping) 1.0 "class 2 is skipped"
            let full = scores 3 2 [| true; true; false; true; true; true |] values
            Expect.isTrue (Double.IsNaN(Ranking.MacroRocAuc full)) "class 2 is always true"
            Expect.equal (Ranking.MacroRocAucOfMixedClasses full) 1.0 "class 1 alone"
            let empty = scores 3 2 (Array.create 6 false) values
            Expect.isTrue (Double.IsNaN(Ranking.MacroRocAuc empty)) "no class is left"
        }
        test "accuracy takes the highest score, and of equal ones the first class" {
            let truth = [| true; false; false; false; true; false; false; false; true |]
            let values = [| 0.5; 0.5; 0.1; 0.5; 0.5; 0.1; 0.0; 0.0; 0.2 |]
            Expect.floatClose Accuracy.veryHigh (Ranking.Accuracy(scores 3 3 truth values)) (2.0 / 3.0) ""
            Expect.isTrue (Double.IsNaN(Ranking.Accuracy(scores 0 3 [||] [||]))) "without rows"
        }
        test "accuracy of a row without one true class is an error that names the row" {
            let message = messageOf (fun () -> Ranking.Accuracy(scores 2 2 [| true; false; true; true |] (Array.create 4 0.5)) |> ignore)
            Expect.stringContains message "row 2" ""
        }
    ]

/// What fails in a metrics file after an edit of its text.
let private failing (pattern: string) (replacement: string) =
    let folder = Path.Combine(BirdResearch.Data.Folders.Root, "tests", "BirdResearch.Tests", "oracles", "metrics")
    let text = File.ReadAllText(Path.Combine(folder, "metrics.ties_missing_30x9.json"))
    let edited = Regex(pattern).Replace(text, replacement, 1)
    Expect.notEqual edited text "the edit changed the file"
    use document = JsonDocument.Parse edited
    MetricsReference().Check document.RootElement |> Seq.filter (fun f -> not f.Passed) |> Seq.map _.What |> List.ofSeq

let private judging =
    testList "judging a file" [
        test "a reference number that is 1e-6 off fails, and it alone" {
            Expect.equal (failing "(\"map_micro\": *0\\.[0-9]{5})[0-9]" "${1}0") [ "map_micro" ] ""
        }
        test "a reference number where ours is undefined fails" {
            Expect.equal (failing "null" "0.0") [ "average_precision_per_class" ] ""
        }
        test "a quantity that we do not know fails" {
            Expect.equal (failing "\"map_micro\"" "\"d_prime\": 1.0, \"map_micro\"") [ "quantity d_prime is not understood" ] ""
        }
    ]

let tests : Test =
    testList "Metrics" [
        properties
        edges
        judging
    ]
