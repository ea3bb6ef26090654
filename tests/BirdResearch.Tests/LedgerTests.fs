module BirdResearch.Tests.LedgerTests

open System
open System.IO
open System.Text.Json
open System.Text.Json.Nodes
open System.Threading.Tasks
open BirdResearch.Analysis
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Tests.ComparisonTests
open BirdResearch.Tests.InventedRuns
open Expecto
open Parquet

/// A plan of those runs, as 'bird run' leaves it.
let private plan (folder: string) (runs: Invented list) =
    let planned =
        [| for run in runs -> PlannedRun(nameOf run, run.Data, run.Model, run.FrontEnd, "", "12 epochs", run.Fold, run.Seed, "bird run front-ends --seeds 1,2") |]
    File.WriteAllText(Path.Combine(folder, "plan.json"), JsonSerializer.Serialize(AblationPlan(Runs = planned), RunStore.Json))

let private edit (folder: string) (file: string) (before: string) (after: string) =
    let path = Path.Combine(folder, file)
    let text = File.ReadAllText path
    Expect.stringContains text before file
    File.WriteAllText(path, text.Replace(before, after))

let private ledger =
    testList "ledger" [
        test "a whole and untouched design has no problems" {
            inFolder (fun folder ->
                let runs = [ baseline; { baseline with Seed = 2 } ]
                for run in runs do write folder run |> ignore
                plan folder runs
                Expect.isEmpty (Ledger.check (Runs.load folder)) "problems")
        }

        test "arms of a model come in the order of the design, whatever their folders are called" {
            inFolder (fun folder ->
                let add (name: string) (label: string) =
                    let place = write folder baseline
                    edit place "run.json" "\"label\": \"\"" $"\"label\": \"{label}\""
                    edit place "run.json" "\"weight_decay\": 0.01" $"\"weight_decay\": 0.0{label.Length}"
                    edit place "run.json" (nameOf baseline) name
                    Directory.Move(place, Path.Combine(folder, name))
                add "b-run" "first"
                add "a-run" "second"
                let labels () = [ for arm in Arms.ofRuns (Runs.load folder).Runs -> arm.Distinction ]
                Expect.equal (labels ()) [ "second"; "first" ] "by folder, without a plan"
                plan folder [ baseline ]
                let path = Path.Combine(folder, "plan.json")
                let runs = (JsonNode.Parse(File.ReadAllText path) |> nonNull)
                let listed = (runs["runs"] |> nonNull).AsArray()
                listed.Add((listed[0] |> nonNull).DeepClone())
                for index, name in [ 0, "b-run"; 1, "a-run" ] do (listed[index] |> nonNull).["name"] <- JsonValue.Create name
                File.WriteAllText(path, runs.ToJsonString())
                Expect.equal (labels ()) [ "first"; "second" ] "by the plan")
        }

        test "a planned run that is not finished is missing, with the command that asked for it" {
            inFolder (fun folder ->
                let runs = [ for seed in 1..4 -> { baseline with Seed = seed } ]
                write folder runs[0] |> ignore
                Directory.CreateDirectory(Path.Combine(folder, nameOf runs[1] + ".partial")) |> ignore
                edit (write folder runs[2]) "run.json" "\"format\": 1" "\"format\": 9"
                plan folder runs
                let problems = Ledger.check (Runs.load folder)
                Expect.equal (problems |> List.map _.Run) [ for run in runs.Tail -> nameOf run ] "runs"
                Expect.allEqual (problems |> List.map _.Trouble) Missing "trouble"
                for problem, reason in List.zip problems [ "is not finished"; "cannot be read: run.json has format 9"; "has not been trained" ] do
                    Expect.stringContains problem.Reason reason "reason"
                    Expect.equal problem.Remedy "bird run front-ends --seeds 1,2" "command"
                Expect.equal (Ledger.under "elsewhere" "12 epochs" problems) [] "of other data"
                Expect.equal (Ledger.under baseline.Data "12 epochs" problems) problems "of this data and budget")
        }

        test "a run is stale when its settings, recipe or tables are not those that it was made with, or the data has changed" {
            inFolder (fun folder ->
                let one model (change: string -> unit) =
                    let place = write folder { baseline with Model = model }
                    change place
                one "fine" ignore
                one "settings" (fun place -> edit place "run.json" "12 epochs" "13 epochs")
                one "recipe" (fun place -> edit place "run.json" "\"recipe\": null" "\"recipe\": 1")
                let digests place =
                    let text = JsonSerializer.Serialize(RunFreshness.Digests place)
                    edit place "run.json" "\"files\": null" $"\"files\": {text}"
                one "tables" (fun place ->
                    digests place
                    File.AppendAllText(Path.Combine(place, "epochs.csv"), "13,1,1,1,1,1,1,1,1\n"))
                one "untouched" digests
                one "line-ends" (fun place ->
                    digests place
                    let path = Path.Combine(place, "classes.csv")
                    File.WriteAllText(path, (File.ReadAllText path).Replace("\n", "\r\n")))
                one "bare" (fun place ->
                    digests place
                    File.Delete(Path.Combine(place, "scores.focal.csv")))
                one "data" (fun place ->
                    edit place "run.json" (String('7', 64)) (String('8', 64))
                    edit place "run.json" "2026-11-22T" "2026-11-21T")
                let problems = Ledger.check (Runs.load folder)
                let found = [ for problem in problems -> problem.Run.Split('.')[0] ] |> List.sort
                Expect.equal found [ "data"; "recipe"; "settings"; "tables" ] "stale runs"
                Expect.allEqual (problems |> List.map _.Trouble) Stale "trouble"
                for part in [ "recipe 1"; "epochs.csv is not as it was written"; "should end in" ] do
                    Expect.exists problems (fun problem -> problem.Reason.Contains part) part)
        }

        test "the report draws no figure of a data set of which a run is missing, says which and how to make it, and draws what is whole" {
            inFolder (fun folder ->
                let runs = [ for seed in 1..3 -> { baseline with Seed = seed } ]
                for run in runs.Tail do write folder run |> ignore
                let elsewhere = { baseline with Data = "esc10"; Soundscapes = false }
                write folder elsewhere |> ignore
                plan folder (elsewhere :: runs)
                let figures (html: string) = Text.RegularExpressions.Regex.Matches(html, "<div class=\"chart\" id=").Count
                let html = File.ReadAllText(Report.write folder "Title" "")
                let whole = Report.htmlWith { ReportOptions.Default with AllowMissing = true } "Title" "" (Runs.load folder)
                Expect.isGreaterThan (figures html) 0 "figures of the whole data set"
                Expect.isGreaterThan (figures whole) (figures html) "all figures where missing runs are allowed"
                for part in [ "<b>Comparative mAP</b>"; $"{nameOf runs.Head} has not been trained"; "<code>bird run front-ends --seeds 1,2</code>" ] do
                    Expect.isTrue (html.Contains part) part
                Expect.isTrue (whole.Contains "<b>Not whole</b>") "it says so all the same"
                for file in [ "report.csv"; "arms.parquet"; "comparisons.csv"; "report.md" ] do
                    Expect.isTrue (File.Exists(Path.Combine(folder, file))) file)
        }

        test "the box in place of a figure names runs, reasons and commands, and nothing in it is markup" {
            let problem = { Run = "<b>x</b>"; Data = "d"; Budget = "12 epochs"; Trouble = Missing; Reason = "has not been trained"; Remedy = "bird run front-ends" }
            let html = Refusal.orDraw [ problem ] "Comparative mAP" (fun () -> failtest "drawn") |> Giraffe.ViewEngine.RenderView.AsString.htmlNode
            for part in [ "Comparative mAP"; "&lt;b&gt;x&lt;/b&gt; has not been trained"; "<code>bird run front-ends</code>" ] do Expect.stringContains html part part
            let drawn = Refusal.orDraw [] "Comparative mAP" (fun () -> Giraffe.ViewEngine.HtmlElements.str "the figure") |> Giraffe.ViewEngine.RenderView.AsString.htmlNode
            Expect.equal drawn "the figure" "drawn"
        }

        testSequencedGroup "torch" <| test "plans of several calls at once are merged, and those of another recipe are forgotten" {
            let store = ExperimentTests.freshStore ()
            let runner = TrialRunner store
            let trial = ExperimentTests.trial.Value
            let ask seed = Ablation("planned", "", [| trial |]).Over [| seed |]
            runner.Open trial.Data |> ignore
            Parallel.For(1, 9, fun seed -> AblationPlan.Add(store, TrialRunner store, ask seed, $"bird run {seed}") |> ignore) |> ignore
            AblationPlan.Add(store, runner, ask 3, "bird run again") |> ignore
            let folder = store.AblationFolder "planned"
            let plan = AblationPlan.Read folder
            Expect.equal (plan.Runs |> Seq.map _.Seed |> Seq.sort |> List.ofSeq) [ 1..8 ] "every call's run once"
            Expect.equal (Directory.GetFiles folder |> Array.map Path.GetFileName) [| "plan.json" |] "nothing else is left"
            edit folder "plan.json" $"\"recipe\": {RunStore.Recipe}" "\"recipe\": 1"
            Expect.isEmpty (AblationPlan.Read folder).Runs "another recipe's"
            File.WriteAllText(Path.Combine(folder, "plan.json"), "{")
            let error = Expect.throwsC (fun () -> AblationPlan.Read folder |> ignore) id
            Expect.stringContains error.Message "plan.json" "a broken plan is named"
        }
    ]

let private readBack (path: string) =
    task {
        use stream = File.OpenRead path
        use! reader = ParquetReader.CreateAsync stream
        use group = reader.OpenRowGroupReader 0
        let columns = ResizeArray<string * string[]>()

        for field in reader.Schema.GetDataFields() do
            let rows = int group.RowCount

            let! (texts: string[]) =
                task {
                    if field.ClrType = typeof<float> then
                        let values = Array.zeroCreate<Nullable<float>> rows
                        do! group.ReadAsync<float>(field, Memory values)
                        return values |> Array.map (fun value -> if value.HasValue then value.Value.ToString(Globalization.CultureInfo.InvariantCulture) else "")
                    elif field.ClrType = typeof<int64> then
                        let values = Array.zeroCreate<Nullable<int64>> rows
                        do! group.ReadAsync<int64>(field, Memory values)
                        return values |> Array.map (fun value -> if value.HasValue then string value.Value else "")
                    else
                        let values = Array.zeroCreate<string | null> rows
                        do! group.ReadAsync(field, Memory values)
                        return values |> Array.map (fun value -> match value with null -> "" | text -> text)
                }

            columns.Add(field.Name, texts)

        return List.ofSeq columns
    }

let private measured (folder: string) =
    let set = Runs.load folder
    let arms = set.Runs |> Arms.ofRuns |> Arms.withIntervals 100
    set, [ "synthetic-birds", arms, Comparisons.ofArms "focal" arms @ Comparisons.ofArms "soundscape" arms ]

let private tables =
    testList "tables for papers" [
        test "every table is the same in CSV and in Parquet, numbers to the last digit" {
            inFolder (fun folder ->
                ablation folder [ 1; 2 ] |> ignore
                let set, parts = measured folder
                let files = Tables.writeAll set parts
                Expect.equal (files |> List.map Path.GetFileName) [ for name in [ "report"; "arms"; "comparisons"; "classes" ] do $"{name}.csv"; $"{name}.parquet" ] "files"

                for csv, parquet in files |> List.chunkBySize 2 |> List.map (fun pair -> pair[0], pair[1]) do
                    let table = CsvTable.Read csv
                    let columns = (readBack parquet).GetAwaiter().GetResult()
                    Expect.equal (columns |> List.map fst) (List.ofSeq table.Header) csv
                    for name, values in columns do
                        Expect.equal (List.ofArray values) [ for row in table.Rows -> row[name] ] $"{Path.GetFileName csv}, {name}"

                let rows name = (CsvTable.Read(Path.Combine(folder, name + ".csv"))).Rows.Count
                Expect.equal (rows "report", rows "arms", rows "comparisons", rows "classes") (8, 4, 12, 4 * 12 * 2) "rows")
        }

        test "report.md has the question, the arms with intervals and letters, what is told apart, figures and where the numbers come from" {
            inFolder (fun folder ->
                ablation folder [ 1; 2 ] |> ignore
                write folder { baseline with Model = "guesser"; Skill = 0.0 } |> ignore
                let set, parts = measured folder
                let figures = [ "map", "Comparative mAP" ]
                File.WriteAllText(Path.Combine(folder, "report.md"), Markdown.page "front-ends" "Does it help?" set [] parts)
                Markdown.addFigures folder figures
                let text = File.ReadAllText(Path.Combine(folder, "report.md"))
                let _, arms, comparisons = parts.Head
                for part in [ "# front-ends"; "Does it help?"; "![Comparative mAP](figures/map.png)"; "content 777777777777"; "Each training was given 12 epochs." ] do
                    Expect.stringContains text part part
                let letters = Comparisons.letters (comparisons |> List.filter (fun found -> found.Domain = "focal")) arms
                for arm in arms do
                    let line = text.Split '\n' |> Array.find (fun line -> line.StartsWith $"| {arm.Label} |")
                    let focal = arm.Domains["focal"]
                    Expect.stringContains line (Words.three focal.Map.Mean) "mean"
                    Expect.stringContains line (Words.three focal.Interval.Value.Low) "interval"
                    Expect.equal (line.Split('|').[4].Trim()) (letters[arm.Label]) "letters"
                Expect.stringContains text "| guesser · mel − " "told apart"
                Expect.isFalse (text.Contains "Not whole") "nothing is missing"
                let level = comparisons |> List.map (fun found -> { found with ToldApart = false })
                let none = Markdown.page "front-ends" "" set [] [ "synthetic-birds", arms, level ]
                Expect.stringContains none $"None of {comparisons.Length} tested pairs is told apart" "where nothing differs"
                let problem = { Run = "a.run"; Data = "d"; Budget = "12 epochs"; Trouble = Missing; Reason = "has not been trained"; Remedy = "bird run front-ends" }
                Expect.stringContains (Markdown.page "front-ends" "" set [ problem ] parts) "**Not whole:** a.run has not been trained" "problems")
        }
    ]

let private named =
    testList "by name" [
        test "arms of two ablations on the same data are compared, others are refused with the reason" {
            inFolder (fun folder ->
                let other = Directory.CreateDirectory(Path.Combine(folder, "..", "models")).FullName
                for seed in [ 1; 2; 3 ] do
                    write folder { baseline with Seed = seed; Skill = 3.0 } |> ignore
                    write other { baseline with Model = "guesser"; Seed = seed; Skill = 0.0 } |> ignore
                let left, right = Pairs.arm folder "tsresnet mel", Pairs.arm other "guesser"
                let pair = Pairs.ofNamed left right false
                let focal = pair.Comparisons |> List.find (fun found -> found.Domain = "focal")
                let mean (named: Named) = named.Runs |> List.averageBy (Runs.metric "map" "focal")
                Expect.floatClose Accuracy.high focal.Difference (mean left - mean right) "difference"
                Expect.isTrue focal.ToldApart "told apart"
                for row in Pairs.cells pair do Expect.equal row.Length Pairs.Heads.Length "cells"
                let classes = Pairs.classes 3 pair
                Expect.equal (classes.Length, classes.Head.Length) (3, Pairs.ClassHeads.Length) "classes"

                let refused (change: string -> unit) (want: string) =
                    let place = write other { baseline with Model = "odd" }
                    change place
                    let odd = Pairs.run place
                    Expect.stringContains (Expect.throwsC (fun () -> Pairs.ofNamed left odd false |> ignore) id).Message want want
                    odd
                refused (fun place -> edit place "run.json" (String('7', 64)) (String('8', 64))) "the same recordings only" |> ignore
                let odd = refused (fun place -> edit place "run.json" "12 epochs" "90 seconds") "--any-budget"
                Expect.equal (Pairs.ofNamed left odd true).Comparisons.Length 2 "asked for"
                Expect.stringContains (Expect.throwsC (fun () -> Pairs.arm folder "no-such" |> ignore) id).Message "no-such" "unknown arm")
        }

        test "the list of runs tells finished, unfinished and stale ones, filters and sorts" {
            inFolder (fun folder ->
                let runs = [ for seed in 1..3 -> { baseline with Seed = seed; Skill = float seed } ]
                for run in runs do write folder run |> ignore
                let late = { baseline with Model = "late" }
                plan folder (runs @ [ late ])
                edit (write folder { baseline with Model = "odd" }) "run.json" "12 epochs" "13 epochs"
                let all = { Model = null; FrontEnd = null; Data = null; Seeds = [||]; Folds = [||]; Budget = null; State = null }
                let list filter sort = RunTable.rows filter sort [ folder ]
                Expect.equal (RunTable.counts (list all null)) "5 runs: 3 finished, 1 unfinished, 1 stale" "counts"
                let column key (rows: RunRow list) = rows |> List.map (fun row -> string row.Values[List.findIndex ((=) key) RunTable.Keys])
                Expect.equal (list { all with Model = "tsres" } "map" |> column "seed") [ "3"; "2"; "1" ] "the best first"
                Expect.equal (list { all with Seeds = [| 2 |] } null |> column "seed") [ "2" ] "one seed"
                Expect.equal (list { all with State = "unfinished" } null |> column "run") [ nameOf late ] "unfinished"
                Expect.equal (list { all with Budget = "13 epochs" } null |> column "state") [ "stale" ] "by budget"
                for row in list all null do Expect.equal (row.Values.Length, row.Cells.Length) (RunTable.Keys.Length, RunTable.Heads.Length) "columns"
                for wrong in [ (fun () -> list { all with State = "done" } null); (fun () -> list all "mapp") ] do
                    Expect.stringContains (Expect.throwsC (fun () -> wrong () |> ignore) id).Message "There is no" "what there is not")
        }
    ]

let tests = testList "ledger and tables" [ ledger; tables; named ]
