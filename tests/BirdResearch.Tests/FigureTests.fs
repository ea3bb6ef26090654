module BirdResearch.Tests.FigureTests

open System
open System.IO
open System.Text.RegularExpressions
open BirdResearch.Analysis
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Metrics
open BirdResearch.Tests.InventedRuns
open Expecto

let private inFolder (test: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("bird-figures-").FullName

    try
        test (Directory.CreateDirectory(Path.Combine(folder, "front-ends")).FullName)
    finally
        Directory.Delete(folder, recursive = true)

let private holds (page: string) (part: string) = Expect.isTrue (page.Contains part) $"the page holds: {part}"
let private count (part: string) (text: string) = (text.Length - text.Replace(part, "").Length) / part.Length
let private names (html: string) = [ for found in Regex.Matches(html, "<figure data-name=\"([^\"]+)\"") -> found.Groups[1].Value ]

/// A run under another budget, as its record tells it.
let private under (budget: string) (folder: string) =
    let path = Path.Combine(folder, "run.json")
    File.WriteAllText(path, (File.ReadAllText path).Replace("\"12 epochs\"", $"\"{budget}\""))

let private scores (truth: bool[][]) (values: float[][]) =
    let ids = [| for row in 1 .. truth.Length -> $"XC{row}" |]
    Scores("focal", ids, [| for column in 1 .. truth[0].Length -> $"c{column}" |], Array.concat truth, Array.concat values)

let private numbers =
    testList "of numbers" [
        test "the Pareto front holds exactly the arms that no other beats in score and price" {
            inFolder (fun folder ->
                let random = Random 3
                for arm in 1..12 do
                    write folder { baseline with Model = $"model_{arm}"; Skill = 0.5 + 2.0 * random.NextDouble(); Speed = 10.0 + 200.0 * random.NextDouble() } |> ignore
                let arms = Arms.ofRuns (Runs.load folder).Runs
                let price, score = (fun (arm: Arm) -> arm.Mean CostCharts.testMinutes), Arms.map "focal"
                // Plainly: an arm is beaten where another is no dearer and no worse, and better in one.
                let beaten arm = arms |> List.exists (fun other -> price other <= price arm && score other >= score arm && (price other < price arm || score other > score arm))
                let want = arms |> List.filter (beaten >> not) |> List.map _.Label |> List.sort
                let got = CostCharts.front "focal" CostCharts.minutes arms |> List.map _.Label |> List.sort
                Expect.equal got want "the front"
                Expect.isLessThan want.Length arms.Length "some arm is beaten")
        }

        test "minutes of the hidden test are its windows over the run's windows per second" {
            inFolder (fun folder ->
                write folder baseline |> ignore
                let run = (Runs.load folder).Runs |> List.exactlyOne
                Expect.floatClose Accuracy.high (CostCharts.testMinutes run) (1100.0 * 48.0 / run.Record.Cost.InferClipsPerSecond / 60.0) "minutes"
                Expect.equal (CostCharts.megabytes 4.02e6) 16.08 "four bytes a parameter")
        }

        test "labels are kept apart and in order, as near to their places as that lets them be" {
            let random = Random 5
            for count in [ 1; 2; 7; 20 ] do
                let wanted = [ for _ in 1..count -> random.NextDouble() ]
                let places = Marks.apart 0.04 (0.0, 1.0) wanted
                let sorted = List.zip wanted places |> List.sortBy fst |> List.map snd
                for lower, upper in List.pairwise sorted do
                    Expect.isGreaterThan (upper - lower) 0.0399 "apart"
                Expect.all places (fun place -> place > -0.001 && place < 1.001) "within"
            for got, want in List.zip (Marks.apart 0.1 (0.0, 1.0) [ 0.2; 0.9; 0.5 ]) [ 0.2; 0.9; 0.5 ] do
                Expect.floatClose Accuracy.high got want "labels with room stay where they belong"
            for got, want in List.zip (Marks.apart 0.1 (0.0, 1.0) [ 0.5; 0.5; 0.9 ]) [ 0.45; 0.55; 0.9 ] do
                Expect.floatClose Accuracy.high got want "two at one place move as far, the third not at all"
        }

        test "the mean of curves is taken where all of them reach, between the points of each" {
            let found = CurveCharts.meanCurve [ [ 0.0, 0.0; 10.0, 1.0 ]; [ 2.0, 1.0; 5.0, 1.0; 12.0, 0.3 ] ]
            Expect.equal (found |> List.map fst) [ 2.0; 5.0; 10.0 ] "where both are known"
            for (_, got), want in List.zip found [ 0.6; 0.75; 0.75 ] do
                Expect.floatClose Accuracy.high got want "the mean"
            Expect.equal (CurveCharts.meanCurve [ [ 1.0, 0.5 ] ]) [ 1.0, 0.5 ] "one run is its own mean"
        }

        test "a difference that rounds to nothing has no sign" {
            Expect.equal [ for value in [ -0.0001; 0.0001; -0.001; 0.25; nan ] -> Words.signed value ] [ "0.000"; "0.000"; "−0.001"; "+0.250"; "–" ] "as text"
        }

        test "the cross-entropy of a row is that of a hand calculation" {
            let found = scores [| [| true; false |] |] [| [| 0.8; 0.4 |] |]
            Expect.floatClose Accuracy.high (Mistakes.loss found 0) (-(log 0.8 + log 0.6) / 2.0) "loss"
            Expect.isTrue (Double.IsFinite (Mistakes.loss (scores [| [| true |] |] [| [| 0.0 |] |]) 0)) "a score of 0 for what is there"
        }

        test "correlations are those of a hand calculation, and what does not vary has none" {
            // By hand: 6.5 / sqrt (5 * 12.75) between the first two
            let columns = [| [| 1.0; 2.0; 4.0; 3.0 |]; [| 2.0; 1.0; 5.0; 5.0 |]; [| 7.0; 7.0; 7.0; 7.0 |] |]
            let found = Mistakes.correlations 4 3 (fun row column -> columns[column][row])
            Expect.floatClose Accuracy.medium found[0].[1] 0.8140915784106943 "between the first two"
            Expect.floatClose Accuracy.high found[1].[1] 1.0 "with itself"
            Expect.isTrue (Double.IsNaN found[0].[2]) "what does not vary has none"
        }

        test "the confusion of an arm counts each recording once, by its highest score, and its hardest windows are those of highest loss" {
            inFolder (fun folder ->
                for seed in [ 1; 2 ] do write folder { baseline with Seed = seed } |> ignore
                let arm = Arms.ofRuns (Runs.load folder).Runs |> List.exactlyOne
                let found = (Mistakes.ofArm arm).Value
                for row in found.Confusion do
                    Expect.floatClose Accuracy.high (Array.sum row) 1.0 "shares of a species' recordings"
                Expect.allEqual found.Recordings 5 "recordings of each species, whatever the seeds"
                let diagonal = Array.init 12 (fun index -> found.Confusion[index][index]) |> Array.average
                Expect.floatClose Accuracy.high diagonal (arm.Mean (Runs.metric "accuracy" "focal")) "every species has as many recordings, so the diagonal's mean is the accuracy"
                let plain = // every window's loss by hand, from the files
                    [ for run in arm.Runs do
                          match Runs.scores "soundscape" run with
                          | Ok scores -> for row in 0 .. scores.Ids.Count - 1 do scores.Ids[row], Mistakes.loss scores row
                          | Error reason -> failtest reason ]
                    |> List.groupBy fst
                    |> List.map (fun (id, losses) -> id, losses |> List.averageBy snd)
                    |> List.maxBy snd
                Expect.equal (fst (Mistakes.hardest "soundscape" [ found ]).Head) (fst plain) "the hardest")
        }
    ]

let private pages =
    testList "on the page" [
        test "budgets are never mixed: each has sections of its own, and the rankings stand beside each other" {
            inFolder (fun folder ->
                for number, budget in List.indexed [ "12 epochs"; "900 clips"; "40 seconds"; "3e+12 multiply-adds" ] do
                    for model in [ "tsresnet18"; "vim" ] do
                        // Seeds of their own only so that the folders have names of their own.
                        write folder { baseline with Model = model; Seed = 10 * number + 1 } |> under budget
                let set = Runs.load folder
                let parts = Parts.ofRuns set
                Expect.equal (parts |> List.map _.Budget) [ "12 epochs"; "900 clips"; "40 seconds"; "3e+12 multiply-adds" ] "in the order of the currencies"
                for part in parts do
                    Expect.allEqual (part.Runs |> List.map Runs.budget) part.Budget "one budget in a part"
                    Expect.equal (part.Arms |> List.map _.Label) [ "tsresnet18 · mel"; "vim · mel" ] "the budget is no part of an arm's name"
                // An edited record is a stale one.
                let html = Report.htmlWith { ReportOptions.Default with AllowMissing = true } "Budgets" "" set
                Expect.containsAll (names html) [ "budgets-focal"; "budgets-soundscape"; "comparison-12-epochs"; "comparison-900-clips"; "ranks-focal-3e-12-multiply-adds" ] "figures"
                Expect.equal (names html) (List.distinct (names html)) "every figure has a file of its own"
                holds html "The same arms under several budgets")
        }

        test "the page tells the hardest windows with every arm's scores, and without sound it keeps their pictures" {
            inFolder (fun folder ->
                ablation folder [ 1 ] |> ignore
                let set = Runs.load folder
                let part = Parts.ofRuns set |> List.exactlyOne
                let mistakes = part.Arms |> List.choose Mistakes.ofArm
                let clips = Clips.ofPart part mistakes
                for domain in [ "focal"; "soundscape" ] do
                    let hardest = Mistakes.hardest domain mistakes |> List.take Clips.hardestAsked |> Map
                    for clip in clips.Hardest |> List.filter (fun clip -> clip.Domain = domain) do
                        Expect.equal (hardest.TryFind clip.Id) (Some clip.Loss) "one of the hardest"
                Expect.equal clips.Hardest.Head.Told.Length 4 "what every arm says"
                let html sound = Report.htmlWith { ReportOptions.Default with Sound = sound } "Sounds" "" set
                holds (html true) "data:audio/wav"
                Expect.equal (count "data:audio" (html false)) 0 "no sound"
                Expect.equal (count "data:image/png" (html false)) (count "data:image/png" (html true)) "pictures"
                Expect.isGreaterThan (count "data:image/png" (html false)) 5 "pictures")
        }

        test "results without their sound are told with their pictures" {
            inFolder (fun folder ->
                ablation folder [ 1 ] |> ignore
                for wav in Directory.GetFiles(folder, "*.wav", SearchOption.AllDirectories) do File.Delete wav
                let html = Report.html "Bare" "" (Runs.load folder)
                Expect.equal (count "data:audio" html) 0 "no sound"
                Expect.isGreaterThan (count "data:image/png" html) 5 "pictures"
                Expect.isFalse (html.Contains "could not be read") "nothing is missed")
        }

        test "robustness.csv of a synthetic world becomes a curve per arm" {
            inFolder (fun folder ->
                for seed in [ 1; 2 ] do
                    let run = write folder { baseline with Seed = seed }
                    CsvTable.Write(
                        Path.Combine(run, "robustness.csv"), [| "run"; "knob"; "value"; "domain"; "map"; "low"; "high"; "recordings" |],
                        [ for value in [ 20.0; -5.0; 5.0 ] -> [| box "x"; box "highest_snr_db"; box value; box "soundscape"; box (0.5 + 0.01 * value + 0.02 * float seed); box 0.3; box 0.8; box 12 |] ])
                let set = Runs.load folder
                let knob, curves = Robustness.ofArms (Arms.ofRuns set.Runs) |> List.exactlyOne
                Expect.equal knob "highest_snr_db" "the knob"
                let points = curves |> List.exactlyOne |> snd
                Expect.equal (points |> List.map _.Value) [ -5.0; 5.0; 20.0 ] "by rising value"
                Expect.floatClose Accuracy.high points[0].Map 0.48 "mean over seeds"
                Expect.contains (names (Report.html "Robust" "" set)) "robustness" "the figure")
        }

        test "many arms still make a page: every figure is there, the species as a grid" {
            inFolder (fun folder ->
                for arm in 1..15 do write folder { baseline with Model = $"model_{arm}_with_a_rather_long_name" } |> ignore
                let html = Report.html "Many" "" (Runs.load folder)
                Expect.containsAll (names html) [ "comparison"; "ranks-focal"; "species"; "confusion"; "price-focal" ] "figures"
                Expect.equal (count "<option" html) (2 * ConfusionCharts.mostArms) "arms that may be chosen")
        }
    ]

/// A PNG's width, height, colour type and name of each chunk.
let private png (bytes: byte[]) =
    let number (at: int) = int bytes[at] <<< 24 ||| (int bytes[at + 1] <<< 16) ||| (int bytes[at + 2] <<< 8) ||| int bytes[at + 3]
    let rec chunks at = [ if at < bytes.Length then Text.Encoding.ASCII.GetString(bytes, at + 4, 4); yield! chunks (at + 12 + number at) ]
    number 16, number 20, bytes[25], chunks 8

let private files =
    testList "as files" [
        test "every figure of a page is written as SVG and as PNG with a palette, and what an earlier page left is gone" {
            if isNull (BirdResearch.Cli.FigureFiles.Browser()) then
                skiptest "Chromium, Chrome or Edge is not on the path"
            inFolder (fun folder ->
                ablation folder [ 1 ] |> ignore
                let figures = Directory.CreateDirectory(Path.Combine(folder, "figures")).FullName
                File.WriteAllText(Path.Combine(figures, "old.svg"), "<svg/>")
                let report = Report.write folder "Front-ends" ""
                let written = BirdResearch.Cli.FigureFiles.Write(report, figures)
                let drawn = names (File.ReadAllText report)
                Expect.equal [ for struct (name, _) in written -> name ] drawn "every figure, in the page's order"
                Expect.equal (Directory.GetFiles figures).Length (2 * drawn.Length) "two files each"
                for name in drawn do
                    let svg = File.ReadAllText(Path.Combine(figures, name + ".svg"))
                    let root = (Xml.Linq.XDocument.Parse svg).Root |> nonNull
                    Expect.equal root.Name.LocalName "svg" name
                    let size (side: string) = int (nonNull (root.Attribute(Xml.Linq.XName.Get side))).Value
                    let width, height, colour, chunks = png (File.ReadAllBytes(Path.Combine(figures, name + ".png")))
                    Expect.equal (width, height) (2 * size "width", 2 * size "height") $"{name}: twice the size"
                    Expect.equal colour 3uy $"{name}: a palette"
                    Expect.equal chunks [ "IHDR"; "PLTE"; "IDAT"; "IEND" ] $"{name}: chunks"
                    Expect.isGreaterThan (count "<path" svg + count "<text" svg) 20 $"{name}: something is drawn")
        }
    ]

let private codes =
    testSequencedGroup "torch"
    <| testList "of codes" [
        test "a run with a sparse code leaves how often its units fire: with k winners a step, k of all units on average" {
            let store = ExperimentTests.freshStore ()
            let plain = FrontEnds.Named "expand-and-sparsify-64"
            let trial =
                Trial(
                    Data = ExperimentTests.trial.Value.Data, Model = "tsresnet_tiny", FrontEnd = "expand-and-sparsify-64",
                    Training = ExperimentTests.trial.Value.Training)
            let record = TrialRunner(store).Run("codes", trial)
            let set = Runs.load (store.AblationFolder "codes")
            let found = Codes.ofArms (Arms.ofRuns set.Runs) |> List.exactlyOne
            Expect.isNonEmpty found.Shares "domains"
            for domain, shares in found.Shares do
                Expect.equal shares.Length plain.Expansion.Outputs $"{domain}: units"
                Expect.floatClose Accuracy.medium (Array.average shares) (float plain.Expansion.K / float plain.Expansion.Outputs) $"{domain}: winners"
                Expect.all shares (fun share -> share >= 0.0 && share <= 1.0) domain
            let run = List.exactlyOne set.Runs
            let examples = match SoundCharts.load run with Ok examples -> examples | Error reason -> failtest reason
            Expect.isGreaterThan (examples |> List.filter _.Code.IsSome).Length 0 "a code's picture"
            for example in examples do
                match example.Code with
                | Some code -> Expect.equal (code.Units, code.Shown) (256, 128) "units"
                | None -> ()
            let html = Report.html "Codes" "" set
            Expect.contains (names html) "codes" "the figure"
            holds html "What the codes look like"
            Expect.equal record.Trial.FrontEnd "expand-and-sparsify-64" "the run"
        }

        test "a run keeps the clips whose scores have the highest cross-entropy with what is heard" {
            let clip id = Clip(Id = id, File = id, Labels = [| "c1" |], Group = id)
            let clips = [| for row in 1..5 -> clip $"XC{row}" |]
            let found = scores [| for _ in 1..5 -> [| true; false |] |] [| [| 0.9; 0.1 |]; [| 0.1; 0.1 |]; [| 0.9; 0.99 |]; [| 0.5; 0.5 |]; [| 0.8; 0.2 |] |]
            Expect.equal [ for clip in RunExamples.Worst(found, clips) -> clip.Id ] [ "XC3"; "XC2"; "XC4" ] "the worst first"
        }
    ]

let tests = testList "figures" [ numbers; pages; files; codes ]
