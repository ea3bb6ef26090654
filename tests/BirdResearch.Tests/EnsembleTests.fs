module BirdResearch.Tests.EnsembleTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open BirdResearch.Inference
open BirdResearch.Metrics

let private logistic z = 1.0 / (1.0 + exp -z)

/// Row-major probabilities of one member.
let private said (name: string) classes (values: float list) = MemberScores.FromProbabilities(name, classes, ReadOnlySpan(List.toArray values))

let private sum (weights: IReadOnlyList<float>) = Seq.fold (+) 0.0 weights

let private close (expected: float list) (got: float32[]) what =
    Expect.equal got.Length expected.Length $"{what}: count"
    List.iteri (fun i e -> Expect.floatClose Accuracy.medium (float got[i]) e $"{what}, cell {i}") expected

let private gauss (random: Random) = sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

/// Labels of rows, and members that see them through noise of these sizes.
let private invented seed rows classes (noises: float list) =
    let random = Random seed
    let truth = Array.init (rows * classes) (fun i -> random.NextDouble() < 0.15 || i < classes)
    let members =
        [ for m, noise in List.indexed noises ->
            let logits = truth |> Array.map (fun t -> float32 ((if t then 1.0 else -1.0) + noise * gauss random))
            MemberScores.FromLogits($"m{m}", classes, ScoreRule.Sigmoid, ReadOnlySpan logits) ]
    ValidatedMembers(List.toArray members, ReadOnlySpan truth), truth

let private equalOf (members: ValidatedMembers) rule = Ensemble.Of(members.Names, rule)

let private combination =
    testList "combination" [
        test "the mean of probabilities is weighted, and a weight is a share" {
            let a, b = said "a" 2 [ 0.1; 0.9; 0.4; 0.5 ], said "b" 2 [ 0.3; 0.1; 0.8; 0.5 ]
            let ensemble = Ensemble(Members = [| "a"; "b" |], Weights = [| 3.0; 1.0 |])
            close [ 0.15; 0.7; 0.5; 0.5 ] (ensemble.Combine [| a; b |]) "3 to 1"
            close [ 0.2; 0.5; 0.6; 0.5 ] (Ensemble.Of([| "a"; "b" |]).Combine [| a; b |]) "alike"
        }
        test "the mean of log odds is the geometric mean of odds" {
            let a, b = said "a" 1 [ 0.9; 0.5; 0.01 ], said "b" 1 [ 0.5; 0.5; 0.99 ]
            let ensemble = Ensemble.Of([| "a"; "b" |], EnsembleRule.Logits)
            close [ 0.75; 0.5; 0.5 ] (ensemble.Combine [| a; b |]) "odds 9 and 1 give 3"
        }
        test "ranks are places within a class from 0.5/N on, and equal scores share theirs" {
            let a = said "a" 1 [ 0.2; 0.9; 0.2; 0.5 ]
            close [ 0.25; 0.875; 0.25; 0.625 ] (Ensemble.Of([| "a" |], EnsembleRule.Ranks).Combine [| a |]) "places 1 and 2 are 1.5"
        }
        test "a class has weights of its own where they are given" {
            let a, b = said "a" 2 [ 0.2; 0.2 ], said "b" 2 [ 0.8; 0.8 ]
            let ensemble = Ensemble(Members = [| "a"; "b" |], Weights = [| 1.0; 1.0 |], ClassWeights = [| [| 1.0; 0.0 |] :> IReadOnlyList<_>; [| 1.0; 3.0 |] |])
            close [ 0.2; 0.65 ] (ensemble.Combine [| a; b |]) "by class"
        }
        test "every rule and every post-processing stays within 0 and 1, whatever the logits" {
            let random = Random 3
            let wild name = MemberScores.FromLogits(name, 3, (if name = "s" then ScoreRule.Softmax else ScoreRule.Sigmoid), ReadOnlySpan(Array.init 90 (fun _ -> float32 (gauss random * 60.0))))
            let members = [| wild "a"; wild "s" |]
            let after =
                PostProcessing(
                    Smoothing = Smoothing(), FileBoost = FileBoost(Power = 2.0, TopWindows = 3),
                    Calibration = ClassCalibration(Slopes = [| 5.0; 0.1; 1.0 |], Offsets = [| 30.0; -30.0; 0.0 |]))
            for rule in Enum.GetValues<EnsembleRule>() do
                for processing in [ PostProcessing(); after ] do
                    let ensemble = Ensemble(Members = [| "a"; "s" |], Rule = rule, PostProcessing = processing)
                    for score in ensemble.Combine(members, [| RecordingRows(0, 12); RecordingRows(12, 18) |]) do
                        Expect.isTrue (score >= 0.0f && score <= 1.0f) $"{score} by {rule}"
        }
        test "logits of a softmax become log odds against the other classes" {
            let logits = [| 2.0f; 0.0f; -1.0f; 0.5f; 0.5f; 0.5f |]
            let member' = MemberScores.FromLogits("s", 3, ScoreRule.Softmax, ReadOnlySpan logits)
            let softmax = [ for row in [ logits[..2]; logits[3..] ] do let e = Array.map (float >> exp) row in yield! e |> Array.map (fun v -> v / Array.sum e) ]
            close softmax (Ensemble.Of([| "s" |]).Combine [| member' |]) "probabilities"
            let one = Ensemble.Of([| "s" |], EnsembleRule.Logits).Combine [| member' |]
            close softmax one "and back from log odds"
        }
        test "one member alone is given back, by probabilities and by log odds" {
            let values = [ 0.0; 1e-6; 0.3; 0.5; 0.999; 1.0 ]
            for rule in [ EnsembleRule.Probabilities; EnsembleRule.Logits ] do
                close values (Ensemble.Of([| "a" |], rule).Combine [| said "a" 2 values |]) $"{rule}"
        }
        test "members of other rows, other names, NaN or values that are no probabilities are refused by name" {
            let refused part (work: unit -> unit) = Expect.throwsC work (fun e -> Expect.isTrue (e :? ArgumentException) "type"; Expect.stringContains e.Message part "message")
            let ensemble = Ensemble.Of [| "a"; "b" |]
            refused "b has 1 rows x 2 classes" (fun () -> ensemble.Combine [| said "a" 2 [ 0.1; 0.2; 0.3; 0.4 ]; said "b" 2 [ 0.1; 0.2 ] |] |> ignore)
            refused "was given b, a" (fun () -> ensemble.Combine [| said "b" 1 [ 0.1 ]; said "a" 1 [ 0.1 ] |] |> ignore)
            refused "A score of a is 1.5" (fun () -> said "a" 1 [ 1.5 ] |> ignore)
            refused "row 1, class 0 is NaN" (fun () -> MemberScores.FromLogits("a", 2, ScoreRule.Sigmoid, ReadOnlySpan [| 0.0f; 0.0f; nanf; 0.0f |]) |> ignore)
            refused "no whole rows of 2 classes" (fun () -> MemberScores.FromLogits("a", 2, ScoreRule.Sigmoid, ReadOnlySpan [| 0.0f |]) |> ignore)
            for weights in [ [| -1.0; 2.0 |]; [| 0.0; 0.0 |]; [| nan; 1.0 |]; [| 1.0 |] ] do
                refused "weights" (fun () -> (Ensemble(Members = [| "a"; "b" |], Weights = weights)).Check())
            refused "names a member twice" (fun () -> (Ensemble.Of [| "a"; "a" |]).Check())
            refused "need to know which rows" (fun () -> Ensemble(Members = [| "a" |], PostProcessing = PostProcessing(Smoothing = Smoothing())).Combine [| said "a" 1 [ 0.1 ] |] |> ignore)
        }
        test "where a member says nothing the others speak alone, and where none does the prior stands" {
            let a = MemberScores.FromPartial("a", 2, ReadOnlySpan [| 0.2f; nanf; nanf; nanf; 0.4f; nanf |])
            let b = said "b" 2 [ 0.6; 0.5; 0.8; 0.1; 0.6; 0.3 ]
            let both = Ensemble(Members = [| "a"; "b" |], Weights = [| 3.0; 1.0 |])
            close [ 0.3; 0.5; 0.8; 0.1; 0.45; 0.3 ] (both.Combine [| a; b |]) "probabilities"
            close [ 0.2; 0.7; 0.1; 0.7; 0.4; 0.7 ] ((Ensemble.Of [| "a" |]).Combine([| a |], null, [| 0.1f; 0.7f |])) "prior"
            close [ 0.25; 0.0; 0.0; 0.0; 0.75; 0.0 ] (Ensemble.Of([| "a" |], EnsembleRule.Ranks).Combine [| a |]) "places among what was said"
            Expect.throwsC (fun () -> ValidatedMembers([| a |], ReadOnlySpan(Array.create 6 true)) |> ignore) (fun e -> Expect.stringContains e.Message "a has not scored" "not to be fitted")
        }
        test "an ensemble comes back from its JSON, with snake_case keys, and a foreign text is refused with its source" {
            let ensemble =
                Ensemble(
                    Members = [| "b0"; "r50" |], Weights = [| 0.25; 0.75 |], Rule = EnsembleRule.Logits,
                    ClassWeights = [| [| 0.5; 0.5 |] :> IReadOnlyList<_> |],
                    PostProcessing = PostProcessing(Smoothing = Smoothing(), FileBoost = FileBoost(TopWindows = 3), Calibration = ClassCalibration(Slopes = [| 1.5 |], Offsets = [| -0.25 |])))
            let json = ensemble.ToJson()
            for key in [ "\"class_weights\""; "\"post_processing\""; "\"top_windows\": 3"; "\"rule\": \"logits\"" ] do Expect.stringContains json key "JSON"
            let back = Ensemble.FromJson(json, "x.json")
            Expect.equal (back.ToJson()) json "the same"
            for text in [ "{}"; "null"; "[]"; "{\"members\":[]}"; "{\"members\":null}"; "{\"members\":[\"a\"],\"weight\":[1]}"; "{\"members\":[\"a\"],\"weights\":[-1]}"; "x" ] do
                Expect.throwsC (fun () -> Ensemble.FromJson(text, "x.json") |> ignore) (fun e ->
                    Expect.isTrue (e :? InvalidDataException) $"{text}: {e.GetType()}"
                    Expect.stringContains e.Message "x.json" "source")
        }
        test "without a member the others keep their weights' proportion, and members that weighed nothing count alike" {
            let ensemble = Ensemble(Members = [| "a"; "b"; "c" |], Weights = [| 0.6; 0.1; 0.3 |], ClassWeights = [| [| 1.0; 0.0; 0.0 |] :> IReadOnlyList<_> |])
            let rest = ensemble.Only [| "c"; "b" |]
            Expect.equal (List.ofSeq rest.Members) [ "b"; "c" ] "order stays"
            Expect.equal (List.ofSeq rest.Weights) [ 0.1; 0.3 ] "weights"
            Expect.equal (List.ofArray (rest.WeightsOf 0)) [ 0.5; 0.5 ] "class without a voice"
            Expect.throwsC (fun () -> ensemble.Only [| "x" |] |> ignore) (fun e -> Expect.stringContains e.Message "None of x" "names")
        } ]

let private fitting =
    testList "fitting" [
        for rule in Enum.GetValues<EnsembleRule>() do
            for metric in Enum.GetValues<EnsembleMetric>() do
                test $"greedy selection by {rule} for {metric} beats every member and all alike on its rows, and gives what it says" {
                    let members, _ = invented 1 300 4 [ 2.0; 2.2; 1.8; 6.0 ]
                    let fitted = EnsembleFitting.Greedy(members, rule, metric)
                    Expect.floatClose Accuracy.high (sum fitted.Weights) 1.0 "sum"
                    Expect.isGreaterThanOrEqual fitted.Score (EnsembleFitting.Alike(members, rule, metric).Score) "all alike"
                    for m in 0 .. 3 do
                        let alone = Array.init 4 (fun i -> if i = m then 1.0 else 0.0)
                        let ensemble = Ensemble(Members = members.Names, Rule = rule, Weights = alone)
                        Expect.isGreaterThanOrEqual fitted.Score (members.Score(ReadOnlySpan(ensemble.Combine members.Members), metric) - 1e-6) $"member {m}"
                    let combined = Ensemble(Members = members.Names, Rule = rule, Weights = fitted.Weights).Combine members.Members
                    Expect.floatClose Accuracy.low (members.Score(ReadOnlySpan combined, metric)) fitted.Score "the score that it says"
                }
        test "the metric of the search is that of Metrics.Ranking" {
            let members, truth = invented 2 200 3 [ 1.5; 2.5 ]
            let combined = (equalOf members EnsembleRule.Probabilities).Combine members.Members
            let scores = Scores("focal", [| for r in 0 .. 199 -> string r |], [| "a"; "b"; "c" |], truth, Array.map float combined)
            let alike metric = EnsembleFitting.Alike(members, EnsembleRule.Probabilities, metric).Score
            Expect.floatClose Accuracy.medium (alike EnsembleMetric.MeanAveragePrecision) (Ranking.MeanAveragePrecision scores) "mAP"
            Expect.floatClose Accuracy.medium (alike EnsembleMetric.RocAuc) (Ranking.MacroRocAuc scores) "ROC-AUC"
            Expect.floatClose Accuracy.high (members.Score(ReadOnlySpan combined, EnsembleMetric.MeanAveragePrecision)) (Ranking.MeanAveragePrecision scores) "mAP of scores"
        }
        test "bags average selections, are repeatable, and another seed gives other weights" {
            let members, _ = invented 4 200 3 [ 2.0; 2.0; 2.0; 2.0; 2.0 ]
            let bagged seed = EnsembleFitting.Greedy(members, EnsembleRule.Probabilities, EnsembleMetric.MeanAveragePrecision, GreedySettings(Bags = 5, Draws = 8, Seed = seed))
            Expect.equal (List.ofSeq (bagged 1).Weights) (List.ofSeq (bagged 1).Weights) "repeatable"
            Expect.notEqual (List.ofSeq (bagged 1).Weights) (List.ofSeq (bagged 2).Weights) "seed"
            Expect.floatClose Accuracy.high (sum (bagged 1).Weights) 1.0 "sum"
        }
        for rule in [ EnsembleRule.Probabilities; EnsembleRule.Logits ] do
            test $"optimised weights by {rule} have the lowest log-loss on the simplex" {
                let members, truth = invented 5 400 3 [ 1.2; 1.6; 5.0 ]
                let loss (weights: float[]) =
                    let ensemble = Ensemble(Members = members.Names, Rule = rule, Weights = weights)
                    Array.map2 (fun (p: float32) t -> -log (max 1e-9 (if t then float p else 1.0 - float p))) (ensemble.Combine members.Members) truth |> Array.average
                let fitted = EnsembleFitting.Optimised(members, rule, EnsembleMetric.MeanAveragePrecision)
                let reached = loss (Seq.toArray fitted.Weights)
                for a in 0 .. 20 do
                    for b in 0 .. 20 - a do
                        let grid = [| float a / 20.0; float b / 20.0; float (20 - a - b) / 20.0 |]
                        Expect.isGreaterThan (loss grid + 2e-4) reached $"%A{grid} against %A{List.ofSeq fitted.Weights}"
            }
        test "ranks are refused by the optimiser, which has no likelihood for them" {
            let members, _ = invented 5 40 2 [ 1.0; 2.0 ]
            Expect.throwsC (fun () -> EnsembleFitting.Optimised(members, EnsembleRule.Ranks, EnsembleMetric.RocAuc) |> ignore) (fun e -> Expect.stringContains e.Message "greedily" "advice")
        }
        test "class weights move from the common ones to the class's own best as its positives grow" {
            // In class 0 the first member is right and the second is noise, in class 1 the other way round; class 2 has no positives.
            let random = Random 8
            let rows = 400
            let truth = Array.init (rows * 3) (fun i -> i % 3 < 2 && random.NextDouble() < 0.3)
            let see right = [| for i in 0 .. rows * 3 - 1 -> float32 (if i % 3 = right then (if truth[i] then 2.0 else -2.0) + gauss random else 2.0 * gauss random) |]
            let members =
                ValidatedMembers([| for right in 0 .. 1 -> MemberScores.FromLogits($"m{right}", 3, ScoreRule.Sigmoid, ReadOnlySpan(see right)) |], ReadOnlySpan truth)
            let common = [| 0.5; 0.5 |]
            let weights shrinkage = EnsembleFitting.ClassWeights(members, EnsembleRule.Probabilities, common, shrinkage)
            let free, half, held = weights 0.0, weights 100.0, weights 1e9
            Expect.isGreaterThan free[0].[0] 0.8 "class 0 by the first"
            Expect.isLessThan free[1].[0] 0.2 "class 1 by the second"
            Expect.equal (List.ofSeq free[2]) [ 0.5; 0.5 ] "without positives the common ones"
            Expect.floatClose Accuracy.low held[0].[0] 0.5 "held to the common ones"
            let n = float (Seq.length (Seq.filter id (seq { for r in 0 .. rows - 1 -> truth[r * 3] })))
            Expect.floatClose Accuracy.high half[0].[0] (n / (n + 100.0) * free[0].[0] + 100.0 / (n + 100.0) * 0.5) "n / (n + k)"
            for c in weights 10.0 do Expect.floatClose Accuracy.high (sum c) 1.0 "sum"
        }
        test "fitting across folds judges rows by weights that did not see them" {
            let members, _ = invented 6 240 2 [ 1.5; 1.5; 1.5; 1.5 ]
            let folds = [| for r in 0 .. 239 -> r / 80 |]
            let seen = ResizeArray()
            let fit (part: ValidatedMembers) =
                seen.Add part.Rows
                Ensemble(Members = part.Names, Weights = EnsembleFitting.Greedy(part, EnsembleRule.Probabilities, EnsembleMetric.MeanAveragePrecision).Weights)
            let across = EnsembleFitting.CrossFitted(members, folds, EnsembleMetric.MeanAveragePrecision, fit)
            Expect.equal (List.ofSeq seen) [ 160; 160; 160 ] "two thirds each"
            let within = EnsembleFitting.Greedy(members, EnsembleRule.Probabilities, EnsembleMetric.MeanAveragePrecision).Score
            Expect.isLessThan across within "what was seen looks better"
            let alike = EnsembleFitting.CrossFitted(members, folds, EnsembleMetric.MeanAveragePrecision, fun part -> Ensemble.Of part.Names)
            Expect.floatClose Accuracy.medium alike (EnsembleFitting.Alike(members, EnsembleRule.Probabilities, EnsembleMetric.MeanAveragePrecision).Score) "nothing fitted, nothing lost"
        }
        test "scores of runs are matched by row names, and other rows, classes or labels are refused" {
            let scores ids (classes: string[]) (truth: bool[]) (values: float[]) = Scores("focal", ids, classes, truth, values)
            let a = scores [| "x"; "y" |] [| "c" |] [| true; false |] [| 0.9; 0.2 |]
            let b = scores [| "y"; "x" |] [| "c" |] [| false; true |] [| 0.1; 0.6 |]
            let members = ValidatedMembers.Of [| struct ("a", a); struct ("b", b) |]
            close [ 0.6; 0.1 ] (Ensemble.Of([| "b" |]).Combine [| members.Members[1] |]) "b in a's order"
            for other, part in
                [ scores [| "x"; "z" |] [| "c" |] [| true; false |] [| 0.9; 0.2 |], "'y' is not among"
                  scores [| "x"; "y" |] [| "d" |] [| true; false |] [| 0.9; 0.2 |], "other classes"
                  scores [| "x"; "y" |] [| "c" |] [| true; true |] [| 0.9; 0.2 |], "labels of row 'y' differ" ] do
                Expect.throwsC (fun () -> ValidatedMembers.Of [| struct ("a", a); struct ("b", other) |] |> ignore) (fun e -> Expect.stringContains e.Message part part)
        } ]

let private budget =
    testList "budget" [
        test "of all subsets that fit the time the best is chosen, and the front holds every ensemble that no other beats" {
            let members, _ = invented 7 200 3 [ 2.0; 2.2; 2.4; 2.6; 3.0; 8.0 ]
            let seconds = [| 4.0; 3.0; 2.0; 1.0; 0.5; 0.25 |]
            let score (subset: int) = members.Score(ReadOnlySpan((equalOf (members.Only [| for m in 0 .. 5 do if subset >>> m &&& 1 = 1 then m |]) EnsembleRule.Probabilities).Combine [| for m in 0 .. 5 do if subset >>> m &&& 1 = 1 then members.Members[m] |]), EnsembleMetric.MeanAveragePrecision)
            let cost subset = Seq.sum [ for m in 0 .. 5 do if subset >>> m &&& 1 = 1 then seconds[m] ]
            let all = [ for subset in 1 .. 63 -> score subset, cost subset ]
            for limit in [ 0.1; 0.5; 3.6; 100.0 ] do
                let choice = BudgetChoice.Choose(members, seconds, limit)
                Expect.equal (choice.Tried, choice.IsExact) (63, true) "all subsets"
                match choice.Best, [ for s, c in all do if c <= limit then s ] with
                | null, fitting -> Expect.isEmpty fitting "nothing fits"
                | best, fitting ->
                    Expect.isLessThanOrEqual best.SecondsPerFile limit "time"
                    Expect.floatClose Accuracy.low best.Score (List.max fitting) $"best within {limit}"
                for point in choice.Front do
                    Expect.isEmpty [ for s, c in all do if c <= point.SecondsPerFile && s > point.Score + 1e-6 then s, c ] "unbeaten"
                Expect.equal (List.ofSeq choice.Front) (choice.Front |> Seq.sortBy _.SecondsPerFile |> List.ofSeq) "the fastest first"
        }
        test "with weights the choice is the best weighted subset that fits, though its plain mean may lose to one member" {
            let members, _ = invented 9 200 3 [ 1.0; 3.0; 5.0; 7.0 ]
            let seconds = [| 1.0; 1.0; 1.0; 1.0 |]
            let plain = BudgetChoice.Choose(members, seconds, 2.0)
            let fit (part: ValidatedMembers) = EnsembleFitting.Greedy(part, EnsembleRule.Probabilities, EnsembleMetric.MeanAveragePrecision)
            let fitted = BudgetChoice.Choose(members, seconds, 2.0, BudgetSettings(Fit = Func<_, _> fit))
            let pairs = [ for a in 0 .. 3 do for b in 0 .. a do (fit (members.Only(if a = b then [| a |] else [| b; a |]))).Score ]
            Expect.floatClose Accuracy.high (nonNull fitted.Best).Score (List.max pairs) "the best pair, weighted"
            Expect.isGreaterThan (nonNull fitted.Best).Score (nonNull plain.Best).Score "more than all alike"
            Expect.equal (Seq.length (nonNull plain.Best).Members, Seq.length (nonNull fitted.Best).Members) (1, 2) "the second member helps with a small weight"
        }
        test "more members than all subsets allow are added one by one, within the time" {
            let members, _ = invented 10 150 2 (List.init 15 (fun i -> 2.0 + float i / 5.0))
            let seconds = [| for i in 0 .. 14 -> 1.0 + float (i % 3) |]
            let choice = BudgetChoice.Choose(members, seconds, 6.0)
            Expect.isFalse choice.IsExact "not all subsets"
            let best = nonNull choice.Best
            Expect.isLessThanOrEqual best.SecondsPerFile 6.0 "time"
            for m in 0 .. 14 do
                let alone = EnsembleFitting.Alike(members.Only [| m |], EnsembleRule.Probabilities, EnsembleMetric.MeanAveragePrecision).Score
                Expect.isGreaterThanOrEqual best.Score alone $"better than {m} alone"
        }
        test "correlation is 1 with itself, -1 with the opposite, and Spearman's does not change under an increasing map" {
            let random = Random 11
            let odds = Array.init 60 (fun _ -> gauss random)
            let of' name (f: float -> float) = MemberScores.FromLogits(name, 2, ScoreRule.Sigmoid, ReadOnlySpan(Array.map (f >> float32) odds))
            let members = [| of' "a" id; of' "opposite" (fun z -> -2.0 * z + 1.0); of' "bent" (fun z -> z * z * z) |]
            let pearson, spearman = MemberCorrelation.Pearson members, MemberCorrelation.Spearman members
            for m in [ pearson; spearman ] do
                Expect.floatClose Accuracy.medium m[0, 0] 1.0 "itself"
                Expect.floatClose Accuracy.medium m[0, 1] -1.0 "opposite"
                Expect.equal m[0, 2] m[2, 0] "symmetric"
            Expect.floatClose Accuracy.medium spearman[0, 2] 1.0 "bent, by places"
            Expect.isLessThan pearson[0, 2] 0.95 "bent, by values"
        } ]

let private afterwards =
    testList "post-processing" [
        test "smoothing weighs neighbours by the kernel, scaled at the ends, and never reaches into another recording" {
            let processing = PostProcessing(Smoothing = Smoothing())
            let recordings = RecordingRows.Of [| "x"; "x"; "x"; "y" |]
            Expect.equal (List.ofSeq recordings) [ RecordingRows(0, 3); RecordingRows(3, 1) ] "recordings"
            let smooth = processing.Apply([| 1.0f; 0.0f; 0.0f; 1.0f |], 1, recordings)
            close [ 0.4 / 0.7; 0.2 / 0.8; 0.1 / 0.7; 1.0 ] smooth "x, then y alone"
            close [ 0.3; 0.3; 0.3 ] (processing.Apply([| 0.3f; 0.3f; 0.3f |], 1, [| RecordingRows(0, 3) |])) "what is even stays"
        }
        test "the file's level lowers windows of classes that the file is unsure of, and keeps their order" {
            let boost = PostProcessing(FileBoost = FileBoost(Power = 0.5))
            close [ 0.81 * 0.9; 0.09 * 0.3; 0.36 * 0.9; 0.04 * 0.3 ] (boost.Apply([| 0.81f; 0.09f; 0.36f; 0.04f |], 2, [| RecordingRows(0, 2) |])) "by the highest"
            let mean = PostProcessing(FileBoost = FileBoost(Power = 1.0, TopWindows = 2))
            close [ 0.8 * 0.6; 0.4 * 0.6; 0.1 * 0.6 ] (mean.Apply([| 0.8f; 0.4f; 0.1f |], 1, [| RecordingRows(0, 3) |])) "by the mean of two"
            let few = PostProcessing(FileBoost = FileBoost(Power = 1.0, TopWindows = 5))
            close [ 0.25 ] (few.Apply([| 0.5f |], 1, [| RecordingRows(0, 1) |])) "fewer windows than that"
        }
        test "calibration finds the slope and offset that the labels were drawn with, and no positives leave the common ones" {
            let random = Random 12
            let rows = 4000
            let odds = Array.init (rows * 2) (fun _ -> gauss random * 2.0)
            let truth = Array.init (rows * 2) (fun i -> i % 2 = 0 && random.NextDouble() < logistic (0.5 * odds[i] - 1.0))
            let scores = Array.map (logistic >> float32) odds
            let fitted = ClassCalibration.Fit(ReadOnlySpan scores, ReadOnlySpan truth, 2, 1.0)
            Expect.isLessThan (abs (fitted.Slopes[0] - 0.5)) 0.06 "slope"
            Expect.isLessThan (abs (fitted.Offsets[0] + 1.0)) 0.12 "offset"
            let held = ClassCalibration.Fit(ReadOnlySpan scores, ReadOnlySpan truth, 2, 1e9)
            Expect.floatClose Accuracy.low held.Slopes[0] fitted.Slopes[1] "held to the common slope, which an empty class takes"
            let calibrated = PostProcessing(Calibration = fitted).Apply(scores, 2, null)
            let mean (values: float seq) = Seq.average values
            Expect.isLessThan
                (abs (mean [ for r in 0 .. rows - 1 -> float calibrated[r * 2] ] - mean [ for r in 0 .. rows - 1 -> if truth[r * 2] then 1.0 else 0.0 ])) 0.005
                "the mean score is the share of positives"
            let order (values: float32[]) = [ for r in 0 .. rows - 1 -> values[r * 2], r ] |> List.sort |> List.map snd
            Expect.equal (order calibrated) (order scores) "order within the class"
        }
        test "calibration separates even where all scores are right, and stays finite" {
            let fitted = ClassCalibration.Fit(ReadOnlySpan [| 0.9f; 0.8f; 0.1f; 0.2f |], ReadOnlySpan [| true; true; false; false |], 1)
            fitted.Check()
            let none = ClassCalibration.Fit(ReadOnlySpan [| 0.9f; 0.8f |], ReadOnlySpan [| false; false |], 1)
            Expect.equal (none.Slopes[0], none.Offsets[0]) (1.0, 0.0) "without positives nothing changes"
        }
        test "settings out of range, rows of a recording that lie apart and rows outside are refused" {
            let refused part (work: unit -> unit) = Expect.throwsC work (fun e -> Expect.stringContains e.Message part "message")
            for kernel in [ [||]; [| 0.5; 0.5 |]; [| 0.5; 0.0; 0.5 |]; [| -0.1; 1.0; 0.1 |]; [| nan |] ] do refused "kernel" (fun () -> Smoothing(Kernel = kernel).Check())
            refused "power is -1" (fun () -> FileBoost(Power = -1.0).Check())
            refused "0 windows" (fun () -> FileBoost(TopWindows = 0).Check())
            refused "slope above 0" (fun () -> ClassCalibration(Slopes = [| 0.0 |], Offsets = [| 0.0 |]).Check())
            refused "do not follow each other" (fun () -> RecordingRows.Of [| "x"; "y"; "x" |] |> ignore)
            refused "outside the 1" (fun () -> PostProcessing(Smoothing = Smoothing()).Apply([| 0.5f |], 1, [| RecordingRows(0, 2) |]) |> ignore)
            refused "is for 1 classes" (fun () -> PostProcessing(Calibration = ClassCalibration(Slopes = [| 1.0 |], Offsets = [| 0.0 |])).Apply([| 0.5f; 0.5f |], 2, null) |> ignore)
        } ]

let tests = testList "Ensembles" [ combination; fitting; budget; afterwards ]
