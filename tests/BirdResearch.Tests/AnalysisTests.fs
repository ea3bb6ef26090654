module BirdResearch.Tests.AnalysisTests

open System
open System.IO
open System.IO.Compression
open System.Text.RegularExpressions
open BirdResearch.Analysis
open BirdResearch.Experiments
open BirdResearch.Metrics
open BirdResearch.Tests.InventedRuns
open Expecto
open Plotly.NET

/// A folder of its own for one test, removed afterwards.
let private inFolder (test: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("bird-analysis-").FullName

    try
        test (Directory.CreateDirectory(Path.Combine(folder, "front-ends")).FullName)
    finally
        Directory.Delete(folder, recursive = true)

let private close (want: float) (got: float) (what: string) = Expect.floatClose Accuracy.veryHigh got want what

/// The page is far too long for a message.
let private holds (page: string) (part: string) = Expect.isTrue (page.Contains part) $"the page holds: {part}"
let private lacks (page: string) (part: string) = Expect.isFalse (page.Contains part) $"the page does not hold: {part}"

let private normal (random: Random) =
    sqrt (-2.0 * log (1.0 - random.NextDouble())) * cos (2.0 * Math.PI * random.NextDouble())

/// Scores of recordings of one class each, rounded so that some tie.
let private drawn (random: Random) (rows: int) (classes: int) =
    let label = Array.init rows (fun _ -> random.Next classes)
    let truth = Array.init (rows * classes) (fun cell -> label[cell / classes] = cell % classes)
    let values = truth |> Array.map (fun present -> Math.Round((if present then 1.5 else 0.0) + normal random, 1))
    Scores("focal", Array.init rows (fun row -> $"XC{row}"), Array.init classes (fun column -> $"c{column}"), truth, values)

/// The same rows written out as often as a resample draws them.
let private repeated (scores: Scores) (times: int[]) =
    let classes = scores.Classes.Count
    let rows = [| for row in 0 .. scores.Ids.Count - 1 do for _ in 1 .. times[row] do row |]
    let pick (cells: 'a[]) = rows |> Array.collect (fun row -> Array.sub cells (row * classes) classes)
    let ids = rows |> Array.mapi (fun index _ -> string index)
    Scores("focal", ids, scores.Classes, pick (scores.Truth.ToArray()), pick (scores.Values.ToArray()))

/// For runs whose settings a test has edited: they are stale, and drawn all the same.
let private edited = { ReportOptions.Default with AllowMissing = true }

/// The interval of one arm's mean, of runs by fold and seed.
let private intervalOf (resamples: int) (runs: (int * int * Scores) list) = Intervals.ofMeans resamples [ runs ] |> List.exactlyOne

let private statistics =
    testList "statistics" [
        test "mean and standard deviation are those of a hand calculation, and one run has no spread" {
            let spread = Statistics.spread [ 2.0; 4.0; nan; 9.0 ]
            close 5.0 spread.Mean "mean"
            close (sqrt 13.0) spread.Deviation "standard deviation"
            Expect.equal spread.Count 3 "nan is left out"
            Expect.isTrue (Double.IsNaN (Statistics.spread [ 2.0 ]).Deviation) "one value"
            Expect.isTrue (Double.IsNaN (Statistics.spread []).Mean) "no value"
        }

        test "quantiles are linear between neighbours as numpy's are" {
            // numpy.quantile([1, 2, 4, 8], [0, .1, .5, .9, 1]) = 1, 1.3, 3, 6.8, 8
            for q, want in [ 0.0, 1.0; 0.1, 1.3; 0.5, 3.0; 0.9, 6.8; 1.0, 8.0 ] do
                close want (Statistics.quantile q [| 1.0; 2.0; 4.0; 8.0 |]) $"quantile {q}"
        }

        test "mAP of a resample equals mAP of the rows written out as often as they were drawn" {
            let scores = drawn (Random 5) 40 6
            let draws = Statistics.draws 50 "focal" scores.Ids

            for times, got in Array.zip draws (Statistics.resampledMap draws scores) do
                close (Ranking.MeanAveragePrecision(repeated scores times)) got "macro mAP with repeated rows"
        }

        test "a resample draws as many recordings as there are, and all windows of a soundscape together" {
            let ids = [ for recording in 1..6 do for second in [ 5; 10; 15 ] do $"night_{recording}_{second}" ]

            for times in Statistics.draws 20 "soundscape" ids do
                Expect.equal (Array.sum times) 18 "rows drawn"
                for recording in Array.chunkBySize 3 times do
                    Expect.equal (Array.distinct recording).Length 1 "windows of one recording"
        }

        test "an interval is the same every time, contains the estimate and shrinks with more recordings" {
            let interval rows = (intervalOf 400 [ 0, 1, drawn (Random 3) rows 5 ]).Value
            let small, large = interval 40, interval 640
            Expect.equal small (interval 40) "twice"

            for rows, found in [ 40, small; 640, large ] do
                let estimate = Ranking.MeanAveragePrecision(drawn (Random 3) rows 5)
                Expect.isTrue (found.Low < estimate && estimate < found.High) $"{found} holds {estimate}"

            let width (found: Interval) = found.High - found.Low
            Expect.isTrue (width large < 0.45 * width small) "sixteen times the recordings, about a quarter of the width"
            Expect.isTrue (width large > 0.1 * width small) "and no less"
        }

        test "intervals at 95 % hold the expected score in nine of ten repeated experiments or more" {
            let random = Random 11
            let expected = List.average [ for _ in 1..800 -> Ranking.MeanAveragePrecision(drawn random 60 6) ]

            let held =
                [ for _ in 1..200 do
                      let found = (intervalOf 200 [ 0, 1, drawn random 60 6 ]).Value
                      found.Low <= expected && expected <= found.High ]

            let share = float (held |> List.filter id |> List.length) / 200.0
            Expect.isTrue (share >= 0.9 && share < 1.0) $"{share} of the intervals hold {expected}"
        }

        test "the interval of an accuracy is that of a share of the recordings" {
            let rows, classes = 400, 4
            let truth = [| for row in 0 .. rows - 1 do for c in 0 .. classes - 1 -> c = row % classes |]
            let values = [| for row in 0 .. rows - 1 do for c in 0 .. classes - 1 -> if c = (if row % 5 = 0 then row + 1 else row) % classes then 1.0 else 0.0 |]
            let scores = Scores("focal", [| for row in 1..rows -> string row |], [| for c in 1..classes -> string c |], truth, values)
            let found = (Statistics.accuracyInterval 2000 [ scores ]).Value
            let half = 1.96 * sqrt (0.8 * 0.2 / float rows)
            Expect.isLessThan (abs (found.Low - (0.8 - half)) + abs (found.High - (0.8 + half))) 0.012 $"{found}"
        }

        test "seeds share their draws, so that two equal runs have the interval of one; folds do not" {
            let first, other = drawn (Random 3) 60 5, drawn (Random 4) 60 5
            Expect.equal (intervalOf 200 [ 0, 1, first; 0, 2, first ]) (intervalOf 200 [ 0, 1, first ]) "the same run twice"
            let ids = [| for id in other.Ids -> id + "b" |]
            let elsewhere = Scores("focal", ids, other.Classes, other.Truth.ToArray(), other.Values.ToArray())
            Expect.equal (intervalOf 200 [ 0, 1, first; 1, 1, elsewhere ]).Value.Recordings 120 "recordings of two folds"
        }

        test "one recording gives no interval" {
            let scores = Scores("soundscape", [| "night_5"; "night_10" |], [| "a" |], [| true; false |], [| 0.9; 0.1 |])
            Expect.isNone (intervalOf 100 [ 0, 1, scores ]) "both windows are of one recording"
        }
    ]

let private runs =
    testList "runs" [
        test "figures, settings, epochs, classes and scores are read back as they were written" {
            inFolder (fun folder ->
                write folder { baseline with Seed = 7 } |> ignore
                let run = (Runs.load folder).Runs |> List.exactlyOne
                Expect.equal run.Settings["training.budget"] "12 epochs" "a setting by its path"
                Expect.equal (run.Record.Trial.Seed, run.Record.Data.Classes) (7, 12) "the record"
                Expect.equal run.Epochs.RowCount 12 "epochs"
                Expect.equal run.CommonNames["inrobi1"] "Indian Robin" "a common name"

                for domain in Runs.domains do
                    let scores = Runs.scores domain run |> function Ok scores -> scores | Error reason -> failtest reason
                    close (Runs.metric "mAP" domain run) (Ranking.MeanAveragePrecision scores) $"{domain} mAP from scores.{domain}.csv"
                    if domain <> "train" then
                        let column = run.Classes.GetColumn<float> $"{domain}_ap"
                        for label, precision in Seq.zip scores.Classes (Ranking.AveragePrecisions scores) do
                            match Deedle.Series.tryGet label column with
                            | Some read -> close precision read $"{domain} {label}"
                            | None -> Expect.isTrue (Double.IsNaN precision) $"{domain} {label} has no positives")
        }

        test "folders that are no run are skipped with their reason, and unfinished ones are named" {
            inFolder (fun folder ->
                let sub (name: string) = Directory.CreateDirectory(Path.Combine(folder, name)).FullName
                write folder baseline |> ignore
                sub "notes" |> ignore
                sub "tsresnet18.mel.birds.f0.s1-99.partial" |> ignore
                let spoil name (change: string -> string) =
                    let path = Path.Combine(write folder { baseline with Model = name }, "run.json")
                    File.WriteAllText(path, change (File.ReadAllText path))
                spoil "cut-off" (fun text -> text[.. text.Length / 2])
                spoil "newer" _.Replace("\"format\": 1", "\"format\": 9")
                spoil "older" _.Replace("\"scores\"", "\"results\"")
                spoil "nothing" (fun _ -> "null")
                spoil "a-list" (fun _ -> "[]")
                let bare = write folder { baseline with Model = "no-epochs" }
                File.WriteAllText(Path.Combine(bare, "epochs.csv"), "epoch,focal_map\n1,high\n")

                let found = Runs.load folder
                Expect.equal (found.Runs |> List.map _.Record.Trial.Model) [ "no-epochs"; "tsresnet18" ] "readable runs"
                Expect.equal found.Unfinished [ "tsresnet18.mel.birds.f0.s1-99.partial" ] "unfinished"
                Expect.equal found.Skipped.Length 7 $"skipped: {found.Skipped}"
                for item, reason in [ "notes", "no run.json"; "newer", "format 9"; "no-epochs", "epochs.csv"; "a-list", "" ] do
                    Expect.exists found.Skipped (fun skipped -> skipped.Folder.StartsWith item && skipped.Reason.Contains reason) item
                Expect.isTrue (File.Exists(Report.write folder "Title" "Question?")) "the report is written all the same")
        }

        test "an ablation that does not exist is an error that names it" {
            let error = Expect.throwsC (fun () -> Runs.load "no-such-ablation" |> ignore) id
            Expect.stringContains error.Message "no-such-ablation" "the message"
        }

        test "an empty ablation is an error that says so" {
            inFolder (fun folder ->
                let error = Expect.throwsC (fun () -> Report.write folder "Title" "" |> ignore) id
                Expect.stringContains error.Message "no finished run" "the message")
        }

        test "runs that differ in seed or fold only are one arm, and other settings name their arms" {
            inFolder (fun folder ->
                for seed, fold in [ 1, 0; 2, 0; 1, 1 ] do
                    write folder { baseline with Seed = seed; Fold = fold } |> ignore
                let path = Path.Combine(write folder { baseline with Seed = 3 }, "run.json")
                File.WriteAllText(path, File.ReadAllText(path).Replace("\"alpha\": 0.4", "\"alpha\": 1.2"))
                let arms = Arms.ofRuns (Runs.load folder).Runs
                let label alpha = $"tsresnet18 · mel · mixup alpha {alpha}"
                Expect.equal (arms |> List.map _.Label) [ label "0.4"; label "1.2" ] "labels"
                Expect.equal arms.Head.Design "2 seeds × 2 folds" "design"
                Expect.equal (Arms.differing (Runs.load folder).Runs) [ "training.augmentation.mixup.alpha" ] "differing settings")
        }

        test "arms that differ in one number alone are a curve of the report, in order of that number" {
            inFolder (fun folder ->
                let changed seed (before: string) (after: string) =
                    let path = Path.Combine(write folder { baseline with FrontEnd = "expand-and-sparsify"; Seed = seed }, "run.json")
                    let text = File.ReadAllText path
                    Expect.stringContains text before "the setting"
                    File.WriteAllText(path, text.Replace(before, after))
                for seed, outputs in [ 1, 2048; 2, 512; 3, 64 ] do changed seed "\"outputs\": 512" $"\"outputs\": {outputs}"
                changed 4 "\"k\": 32" "\"k\": 4"
                let set = Runs.load folder
                let sweep = Sweeps.ofArms (Arms.ofRuns set.Runs) |> List.exactlyOne // two values of k are no curve
                Expect.equal (sweep.Model, sweep.Setting) ("tsresnet18", "outputs") "what it shows"
                Expect.equal (sweep.Points |> List.map fst) [ 64.0; 512.0; 2048.0 ] "its points"
                for value, arm in sweep.Points do Expect.equal (float (nonNull arm.Runs.Head.Record.Trial.Features).Expansion.Outputs) value "each with its arm"
                holds (Report.htmlWith edited "Widths" "" set) "mAP against outputs")
        }

        test "the gaps, the level of guessing and the summary agree with the records" {
            inFolder (fun folder ->
                ablation folder [ 1; 2 ] |> ignore
                let set = Runs.load folder
                let arm = Arms.ofRuns set.Runs |> List.find (fun arm -> arm.Model = "tsresnet18" && arm.FrontEnd = "mel")
                let mean domain = arm.Runs |> List.averageBy (Runs.metric "map" domain)
                close (mean "train" - mean "focal") (Arms.overfittingGap arm) "over-fitting gap"
                close (mean "focal" - mean "soundscape") (Arms.domainGap arm) "domain gap"
                close (1.0 / 12.0) arm.Domains["focal"].Chance "each focal recording has one of twelve classes"
                let row = Summary.table set |> List.find (fun row -> row.Model = "tsresnet18" && row.FrontEnd = "mel")
                close (mean "focal") row.FocalMap "focal mAP of the summary"
                Expect.all (Summary.cells [ row ]) (fun cells -> cells.Length = (Summary.heads [ row ]).Length) "cells under heads"
                close (mean "focal") ((Runs.meanOf "mAP" "focal" set)[("tsresnet18", "mel")]) "meanOf")
        }
    ]

let private page (seeds: int list) (change: string -> unit) (check: string -> RunSet -> unit) =
    inFolder (fun folder ->
        ablation folder seeds |> ignore
        change folder
        let path = Report.write folder "Front-ends" "Does it help?"
        check (File.ReadAllText path) (Runs.load folder))

let private count (part: string) (text: string) = (text.Length - text.Replace(part, "").Length) / part.Length

let private report =
    testList "report" [
        test "the page holds every run's mAP in every domain, and report.csv holds them in full" {
            page [ 1; 2 ] ignore (fun html set ->
                for run in set.Runs do
                    for domain in Runs.domains do
                        let map = Runs.metric "map" domain run
                        holds html (map.ToString("0.000", Globalization.CultureInfo.InvariantCulture))
                let csv = File.ReadAllLines(Path.Combine(set.Folder, "report.csv"))
                Expect.equal csv.Length (set.Runs.Length + 1) "rows of report.csv"
                for run in set.Runs do
                    let full = (Runs.metric "map" "focal" run).ToString(Globalization.CultureInfo.InvariantCulture)
                    Expect.exists csv (fun line -> line.StartsWith run.Name && line.Contains full) run.Name)
        }

        test "the page asks no network for anything, and plotly.js stands in it once" {
            page [ 1 ] ignore (fun html _ ->
                // plotly.js itself writes href= into SVG that it exports; what the page's own tags load is data: or a place in the page.
                let own = html[.. html.IndexOf "<!-- plotly.js" - 1]
                Expect.isFalse (Regex.IsMatch(own, "https?:", RegexOptions.IgnoreCase)) "an address outside of plotly.js"
                Expect.isFalse (Regex.IsMatch(own, @"url\(|@import", RegexOptions.IgnoreCase)) "an address in the style"
                for found in Regex.Matches(own, @"(?:src|href)=""([^""]{0,20})") do
                    let address = found.Groups[1].Value
                    Expect.isTrue (address.StartsWith '#' || address.StartsWith "data:") address
                Expect.equal (count "plotly.js v2.28.0" html) 1 "plotly.js"
                Expect.equal (count "<script src" html) 0 "scripts from elsewhere"
                lacks html "requirejs"
                lacks html "require.config")
        }

        test "every chart has its place and its data, and sounds and pictures are part of the page" {
            page [ 1 ] ignore (fun html _ ->
                let places = [ for found in Regex.Matches(html, "<div class=\"chart\" id=\"([^\"]+)\"") -> found.Groups[1].Value ]
                let figures = [ for found in Regex.Matches(html, "<figure data-name=\"([^\"]+)\"") -> found.Groups[1].Value ]
                let expected =
                    [ "comparison"; "overfitting"; "learning-curves"; "learning-prices"; "domain-shift"; "species"; "confusion"; "co-occurrence"
                      "price-focal"; "price-soundscape" ]
                Expect.equal (figures |> List.filter (fun name -> List.contains name expected)) expected "figures, in the page's order"
                Expect.isGreaterThanOrEqual places.Length 19 "charts"
                for place in places do
                    let start = $"<script type=\"application/json\" id=\"{place}-data\">"
                    let data = Regex.Match(html, start + "(.*?)</script>", RegexOptions.Singleline)
                    use figure = Text.Json.JsonDocument.Parse data.Groups[1].Value
                    Expect.isGreaterThan (figure.RootElement.GetProperty("data").GetArrayLength()) 0 place
                Expect.equal (count "src=\"data:audio/wav;base64," html) 6 "sounds"
                Expect.equal (count "src=\"data:image/png;base64," html) 6 "pictures")
        }

        test "names from data cannot become markup" {
            let hostile = "</script><img src=x onerror=alert(1)>\"'&"
            inFolder (fun folder ->
                let species = (hostile, hostile) :: List.tail species
                write folder { baseline with Species = species; Examples = true } |> ignore
                let other = write folder { baseline with Model = "other"; Species = species }
                let path = Path.Combine(other, "run.json")
                let tag = "\"model\": \"<b onmouseover=alert(2)>x</b>\""
                File.WriteAllText(path, File.ReadAllText(path).Replace("\"model\": \"other\"", tag))
                Directory.CreateDirectory(Path.Combine(folder, "<i>not a run<i>")) |> ignore
                let html = File.ReadAllText(Report.writeWith edited folder hostile hostile)
                let own = html[.. html.IndexOf "<!-- plotly.js" - 1]
                lacks own "<img src=x"
                lacks own "<b onmouseover"
                lacks own "<i>not a run"
                holds own "&lt;img src=x"
                // Inside charts plotly would read tags again, so there the signs are entities within JSON.
                holds own "\\u0026lt;img src=x"
                Expect.equal (count "</script>" own) (count "<script" own) "scripts are closed once each")
        }

        test "a file name that leaves the examples folder is refused and named" {
            page [ 1 ] (fun folder ->
                for path in Directory.GetFiles(folder, "examples.json", SearchOption.AllDirectories) do
                    File.WriteAllText(path, File.ReadAllText(path).Replace("\"focal.1.wav\"", "\"../run.json\""))) (fun html _ ->
                lacks html "data:audio/wav"
                holds html "&#39;../run.json&#39;")
        }

        test "with one seed the text says that no spread is known, with three it gives the deviation" {
            page [ 1 ] ignore (fun html _ -> holds html "1 seed: no spread known")
            page [ 1; 2; 3 ] ignore (fun html _ ->
                lacks html "no spread known"
                holds html "3 seeds, standard deviation")
        }

        test "weights that a validation score chose are said to be so" {
            page [ 1 ] ignore (fun html _ -> lacks html "flatters")
            page [ 1 ] (fun folder ->
                let file = Path.Combine(folder, nameOf { baseline with Seed = 1 }, "run.json")
                let kept = """"kept": { "which": "best", "epoch": 7, "trained": 9, "planned": 12, "averaged": true, "metric": "focal_map", "value": 0.5 }"""
                File.WriteAllText(file, (File.ReadAllText file).Replace("\"kept\": null", kept))) (fun html _ ->
                holds html "the weights of the best epoch by focal_map were kept, training stopped early by focal_map, the weights are running averages (epoch 7); its validation score had a say in that and flatters it.")
        }

        test "equal arms are called not told apart, and an arm without skill is named beside guessing" {
            inFolder (fun folder ->
                for model, skill in [ "first", 2.5; "second", 2.5; "guesser", 0.0 ] do
                    write folder { baseline with Model = model; Skill = skill } |> ignore
                let arms = (Runs.load folder).Runs |> Arms.ofRuns |> Arms.withIntervals 300
                let text = Reading.paragraphs (Comparisons.ofArms "focal" arms) arms |> String.concat "\n"
                Expect.isMatch text "^Each training was given 12 epochs. (first|second) · mel scores highest" "one of the equal arms is first"
                Expect.isMatch text @"Not told apart from it: (first|second) · mel\. A difference of 0\.\d\d would" "the other is not told apart"
                Expect.isMatch text @"It is told apart from guesser · mel \(−0\.\d+, p 0\.00\d+\)\." "the guesser is lower"
                Expect.isMatch text @"Not told apart from guessing \(0\.08\): guesser · mel\." "the guesser guesses")
        }

        test "runs that are missing, unfinished or unreadable are listed" {
            page [ 1; 2 ] (fun folder ->
                Directory.Delete(Path.Combine(folder, nameOf { baseline with Seed = 2 }), recursive = true)
                Directory.CreateDirectory(Path.Combine(folder, "something.partial")) |> ignore
                Directory.CreateDirectory(Path.Combine(folder, "stray")) |> ignore) (fun html _ ->
                holds html "tsresnet18 &#183; mel: no run with seed 2, fold 0"
                holds html "something.partial: not finished"
                holds html "stray: It has no run.json")
        }

        test "two data sets get sections of their own, and one without soundscapes has no soundscape figures" {
            page [ 1 ] (fun folder ->
                for model in [ "tsresnet18"; "tf_efficientnet_b0" ] do
                    write folder { baseline with Data = "esc10"; Model = model; Soundscapes = false } |> ignore) (fun html set ->
                Expect.equal (Runs.byData set |> List.map fst) [ "esc10"; "synthetic-birds" ] "data sets"
                Expect.equal (count "<h2 class=\"dataset\"" html) 2 "sections"
                for name, runs in Runs.byData set do
                    let domains = Arms.ofRuns runs |> List.map (fun arm -> arm.Domains.ContainsKey "soundscape")
                    Expect.allEqual domains (name <> "esc10") name)
        }

        test "a chart is the same every time and carries the theme, so that figures compare" {
            inFolder (fun folder ->
                let arms = (Runs.load (ablation folder [ 1 ])).Runs |> Arms.ofRuns
                let styles = arms |> List.map _.Label |> Theme.styles
                let json () = Charts.comparison styles [ "focal"; "soundscape" ] arms |> GenericChart.toFigureJson
                Expect.equal (json ()) (json ()) "twice"
                Expect.stringContains (json ()) Theme.palette.Head "the first colour"
                Expect.equal (styles.Values |> Seq.distinct |> Seq.length) 4 "a style per arm"
                Expect.equal (arms |> List.rev |> List.map _.Label |> Theme.styles) styles "whatever their order")
        }
    ]

let private pictures =
    testList "pictures" [
        test "a spectrogram's PNG has its size, correct checksums and the lowest band at the bottom" {
            let png = Picture.png 2 3 [| 1uy; 2uy; 3uy; 101uy; 102uy; 103uy |]
            let number (at: int) = int png[at] <<< 24 ||| (int png[at + 1] <<< 16) ||| (int png[at + 2] <<< 8) ||| int png[at + 3]

            let rec chunks at =
                [ if at < png.Length then
                      Text.Encoding.ASCII.GetString(png, at + 4, 4), png[at + 8 .. at + 7 + number at]
                      yield! chunks (at + 12 + number at) ]

            let found = chunks 8
            Expect.equal (found |> List.map fst) [ "IHDR"; "PLTE"; "IDAT"; "IEND" ] "chunks"
            Expect.equal (number 16, number 20) (3, 2) "width and height"
            // The end chunk is the same in every PNG: its CRC is known.
            Expect.equal png[png.Length - 4 ..] [| 0xaeuy; 0x42uy; 0x60uy; 0x82uy |] "CRC of IEND"
            use zlib = new ZLibStream(new MemoryStream(snd found[2]), CompressionMode.Decompress)
            use raw = new MemoryStream()
            zlib.CopyTo raw
            Expect.equal (raw.ToArray()) [| 0uy; 101uy; 102uy; 103uy; 0uy; 1uy; 2uy; 3uy |] "lines"
        }

        test "a picture of the wrong size is an error that names both" {
            let error = Expect.throwsC (fun () -> Picture.png 2 3 [| 1uy |] |> ignore) id
            Expect.stringContains error.Message "2 x 3" "the message"
        }
    ]

/// What a trial really leaves, not what InventedRuns thinks it does.
let private real =
    testSequencedGroup "torch"
    <| testList "of real runs" [
        test "the folder that a trial leaves is reported whole, with its scores, curves, sounds and settings" {
            let store = ExperimentTests.freshStore ()
            let record = TrialRunner(store).Run("real", ExperimentTests.trial.Value)
            let set = Runs.load (store.AblationFolder "real")
            Expect.isEmpty set.Skipped "nothing is skipped"
            let run = List.exactlyOne set.Runs
            Expect.equal run.Name record.Name "its name"

            for domain in record.Scores.Keys do
                match Runs.scores domain run with
                | Ok scores ->
                    // A scene this short may hold no bird at all: then both are undefined.
                    let want, got = Runs.metric "map" domain run, Ranking.MeanAveragePrecision scores
                    Expect.isTrue (want = got || Double.IsNaN want && Double.IsNaN got) $"{domain} mAP: {want} in run.json, {got} of scores"
                | Error reason -> failtest reason

            Expect.equal run.Epochs.RowCount (int record.Trial.Training.Budget.Amount) "epochs"
            Expect.isTrue (run.Settings.ContainsKey "training.learning_rate") "settings by path"
            let html = File.ReadAllText(Report.write set.Folder "Real" "")
            Expect.isGreaterThan (count "src=\"data:audio/wav;base64," html) 0 "sounds"
            holds html ((Runs.metric "map" "focal" run).ToString("0.000", Globalization.CultureInfo.InvariantCulture))
            lacks html "could not be read"
        }
    ]

let tests = testList "analysis" [ statistics; runs; report; pictures; real ]
