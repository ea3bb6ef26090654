module BirdResearch.Tests.DisplayTests

open System
open System.Collections.Generic
open System.IO
open System.Text.Json.Nodes
open System.Threading
open BirdResearch.Analysis
open BirdResearch.Audio
open BirdResearch.Experiments
open BirdResearch.Notebooks.Cells
open BirdResearch.Notebooks.Display
open BirdResearch.Tests.InventedRuns
open Deedle
open Expecto
open Plotly.NET
open TorchSharp

type Bird = { Name: string; Wings: int }

type Call =
    | Song of seconds: float
    | Silence

type private Nest(eggs: int) =
    member _.Eggs = eggs

let private inFolder (test: string -> 'a) =
    let folder = Directory.CreateTempSubdirectory("bird-display-").FullName
    try test (Directory.CreateDirectory(Path.Combine(folder, "front-ends")).FullName) finally Directory.Delete(folder, recursive = true)

let private form (kind: string) (value: obj | null) =
    match (Formatters.Of value).Data.TryGetValue kind with
    | true, node -> Some(string node)
    | _ -> None

let private text (value: obj | null) = form "text/plain" value |> Option.get
let private html (value: obj) = form "text/html" value |> Option.get
let private hostile = "<script>alert(\"x\")</script>&'"

/// Everything that a cell showed, by the order of its calls.
type Recorded() =
    member val Calls: (string * string * string) list = [] with get, set

    interface ICellOutput with
        member this.Stream(name, text) = this.Calls <- this.Calls @ [ "stream", name, text ]
        member this.Display(bundle, id) = this.Calls <- this.Calls @ [ "display", string id, string bundle.Data["text/plain"] ]
        member this.Update(id, bundle) = this.Calls <- this.Calls @ [ "update", id, string bundle.Data["text/plain"] ]
        member this.Clear wait = this.Calls <- this.Calls @ [ "clear", string wait, "" ]

let private inCell (work: unit -> unit) =
    let output = Recorded()
    use _ = Cell.Enter(output, CancellationToken.None)
    work ()
    output.Calls

let private chart () = Chart.Line(x = [ 1.0; 2.0; 3.0 ], y = [ 1.5; nan; 0.5 ], Name = "a") |> Chart.withTitle "Mean <b>mAP</b>"

/// Plotly.NET writes an array of numbers as base64; renderers of plotly.js before 2.28 take plain ones only.
let private typed () =
    let array = JsonObject()
    array["dtype"] <- JsonValue.Create "f8"
    array["bdata"] <- JsonValue.Create(Convert.ToBase64String(Array.collect (fun (value: float) -> BitConverter.GetBytes value) [| 1.0; 2.5; nan; 4.0 |]))
    array["shape"] <- JsonValue.Create "2, 2"
    array

let private values =
    testList "of values" [
        for value, wanted in
            [ null, "null"
              box "a <b>", "a <b>"
              box 3.25, "3.25"
              box true, "true"
              box [ 1; 2 ], "[1; 2]"
              box (Some 3), "Some 3"
              box (Song 2.5), "Song 2.5"
              box (1, "a"), "(1, \"a\")"
              box { Name = "wren"; Wings = 2 }, "{ Name = \"wren\"\n  Wings = 2 }"
              box [| 1.5; 2.0 |], "2 items: [1.5, 2]" ] do
            test $"{value} reads as it should" { Expect.equal (text value) wanted "as text" }

        test "every value has plain text, and HTML and Markdown their own form" {
            Expect.equal (form "text/html" (Show.html "<b>x</b>")) (Some "<b>x</b>") "HTML as it is"
            Expect.equal (form "text/markdown" (Show.markdown "**x**")) (Some "**x**") "Markdown as it is"
            for value in [ box (Show.html "<b>x</b>"); Show.markdown "*x*"; Waveform([| 0.5f |], 8000); chart (); { Name = "a"; Wings = 2 } ] do
                Expect.isNonEmpty (text value) "text"
        }

        test "sequences of records are tables, the numbers to the right and no sign of HTML among the text" {
            let table = html [ { Name = hostile; Wings = 2 }; { Name = "wren"; Wings = 12 } ]
            Expect.stringContains table "<td style=\"text-align:right\">12</td>" "a number"
            Expect.stringContains table "&lt;script&gt;" "escaped"
            Expect.isFalse (table.Contains "<script") "nothing that runs"
            Expect.equal ((text [ { Name = "owl"; Wings = 2 }; { Name = "wren"; Wings = 12 } ]).Split '\n') [| "Name  Wings"; "owl       2"; "wren     12" |] "as text"
        }

        test "a long table shows its beginning, its end and how many rows it has" {
            let shown = text [ for number in 1..100 -> { Name = $"bird {number}"; Wings = number } ]
            Expect.stringContains shown "bird 15" "the beginning"
            Expect.isFalse (shown.Contains "bird 16 ") "the middle is left out"
            Expect.stringContains shown "bird 96" "the end"
            Expect.stringContains shown "100 rows, 15 first and 5 last" "the count"
        }

        test "a sequence without end is cut" {
            let endless = Seq.initInfinite (fun number -> {| Number = number |})
            Expect.stringContains (text endless) "the first 20 rows" "a table"
            Expect.stringContains (text (Seq.initInfinite id)) "3; ...]" "a list"
        }

        test "dictionaries are tables of their pairs" {
            Expect.equal (text (dict [ "a", 1; "b", 22 ])) "key  value\na        1\nb       22" "pairs"
        }

        test "an exception is told with what it came from, and a value that throws while it is shown is told too" {
            Expect.stringContains (text (InvalidOperationException("bad", IOException "disk"))) "because of IOException: disk" "its cause"
            let broken = seq { yield {| A = 1 |}; failwith "no more" }
            Expect.stringContains (text broken) "could not be shown" "no exception comes out"
        }

        test "a type of one's own is shown as one asks, also in types that derive from it" {
            Formatters.Register<Nest>(Func<Nest, obj | null>(fun nest -> Show.html $"<i>{nest.Eggs} eggs</i>"))
            Expect.equal (html (Nest 4)) "<i>4 eggs</i>" "as asked"
        }

        test "frames and series are tables, missing values empty" {
            let frame = frame [ "<x>" => series [ "a" => 1.0; "b" => nan ]; "y" => series [ "a" => 10.0; "b" => 2.0 ] ]
            Expect.equal ((text frame).Split '\n') [| "   <x>   y"; "a    1  10"; "b        2" |] "a frame"
            Expect.stringContains (html frame) "&lt;x&gt;" "escaped"
            Expect.equal ((text (series [ 1 => 2.5; 2 => 3.5 ])).Split '\n') [| "   value"; "1    2.5"; "2    3.5" |] "a series"
            Expect.equal ((text (series [ ("m", "f") => 0.5 ])).Split '\n') [| "      value"; "m  f    0.5" |] "a key of two parts"
        }

        test "a grid, a trial and a data set say what a reader asks first" {
            Expect.stringContains (text (Ablations.Demo.WithBudget "400 clips")) "400 clips" "a grid"
            Expect.stringContains (text (Trial(Model = "mamba"))) "mamba" "a trial"
        } ]

let private sound =
    testList "of sound and pictures" [
        test "sound has a player with exactly its samples, and says its length, rate and level" {
            let samples = Array.init 8000 (fun i -> float32 (sin (float i / 10.0)) / 2.0f)
            let shown = html (Waveform(samples, 8000))
            let from = shown.IndexOf("base64,", StringComparison.Ordinal) + 7
            let bytes = Convert.FromBase64String(shown[from .. shown.IndexOf('"', from) - 1])
            Expect.stringContains shown "<audio controls" "a player"
            Expect.equal bytes (AudioFile.Encode(Waveform(samples, 8000), AudioFormat.Wav16)) "the sound itself"
            Expect.stringContains (text (Waveform(samples, 8000))) "1.0 s at 8000 Hz, peak 0.500" "in words"
        }

        test "a long recording is played in part and says so, and none at all does no harm" {
            let long = Waveform(Array.zeroCreate (8000 * 61), 8000)
            Expect.stringContains (text long) "the player has the first 60 s" "cut"
            Expect.isLessThan (html long).Length 1_400_000 "60 s at 8 kHz"
            Expect.stringContains (text (Waveform([||], 8000))) "0.0 s" "nothing"
        }

        test "a part of a recording begins and ends where it is asked to" {
            let part = Show.part (Waveform(Array.init 100 float32, 10), 2.0, 3.0)
            Expect.equal (part.Samples[0], part.Samples.Length) (20f, 30) "from 2 s, 3 s long"
            Expect.equal (Show.part (Waveform(Array.init 100 float32, 10), 9.0, 3.0)).Samples.Length 10 "as long as there is sound"
        }

        test "a matrix is a picture with the first row below" {
            let picture = Show.picture (array2D [ [ 0f; 1f ]; [ 2f; 3f ]; [ 4f; 4f ] ], "a matrix")
            Expect.equal picture.Png (SoundCharts.picture 3 2 [| 0uy; 64uy; 128uy; 191uy; 255uy; 255uy |]) "its levels"
            Expect.equal (form "image/png" picture) (Some(Convert.ToBase64String picture.Png)) "as PNG"
            Expect.stringContains (text picture) "a matrix: 3 x 2 values from 0 to 4" "in words"
            Expect.throwsT<ArgumentException> (fun () -> Show.picture (Array2D.zeroCreate<float32> 0 0) |> ignore) "nothing to draw"
        } ]

let private tensors =
    testSequencedGroup "torch" <| testList "of tensors" [
        test "a tensor tells shape, type, place and statistics of what is finite" {
            use tensor = torch.tensor ([| 1f; 3f; nanf; infinityf |])
            let shown = text tensor
            for part in [ "Tensor (4) Float32, cpu"; "mean 2"; "min 1"; "max 3"; "NaN 1"; "infinite 1"; "[1, 3, NaN" ] do
                Expect.stringContains shown part part
            use whole = torch.arange 10
            Expect.stringContains (text whole) "mean 4.5" "whole numbers too"
            use empty = torch.zeros [| 0L; 3L |]
            Expect.stringContains (text empty) "(0, 3)" "none"
        }

        test "showing a tensor leaves no tensor behind" {
            use tensor = torch.rand [| 3L; 4L |]
            text tensor |> ignore
            Show.picture tensor |> ignore
            let before = Tensors.settledTensors ()
            for _ in 1..5 do
                text tensor |> ignore
                Show.picture tensor |> ignore
            Expect.isLessThanOrEqual torch.Tensor.TotalCount before "no more than before"
        } ]

let private charts =
    testList "of charts" [
        test "a chart is Plotly's JSON with data, layout and config, and gaps for what is no number" {
            let figure = (Formatters.Of(chart ())).Data["application/vnd.plotly.v1+json"].AsObject()
            Expect.equal [ for pair in figure -> pair.Key ] [ "data"; "layout"; "config" ] "its parts"
            Expect.equal (((figure["data"] |> nonNull).AsArray()).Count) 1 "a trace"
            let json = figure.ToJsonString()
            Expect.isFalse (json.Contains "bdata") "no base64 arrays"
            Expect.isFalse (json.Contains "NaN") "no NaN, which is not JSON"
        }

        test "typed arrays are written out, in their shape" {
            Expect.equal ((TypedArrays.WrittenOut(typed ()) |> nonNull).ToJsonString()) "[[1,2.5],[null,4]]" "two rows"
        }

        test "the HTML of a chart loads nothing, and only the first carries plotly.js" {
            let figure = ChartForm.FigureOf(chart ())
            let later, first = ChartScript.Html(figure, "a", false), ChartScript.Html(figure, "b", true)
            for page in [ first; later ] do
                for load in [ "src=\"http"; "src='http"; "href="; "@import"; "require(" ] do
                    Expect.isFalse (page.Contains load) $"no {load}"
            Expect.isLessThan later.Length 20_000 "the later ones are small"
            Expect.isGreaterThan first.Length 1_000_000 "the first is not"
            Expect.isFalse (later.Contains "<b>mAP") "text from data does not become HTML"
        }

        test "charts by the kernel carry plotly.js once" {
            let sizes = [ for _ in 1..3 -> (html (chart ())).Length ]
            Expect.isLessThanOrEqual (sizes |> List.filter (fun size -> size > 1_000_000) |> List.length) 1 "at most one of this process"
        } ]

let private displays =
    testList "of displays" [
        test "what is displayed can be changed by its handle and cleared" {
            let calls =
                inCell (fun () ->
                    let shown = Show.display (1, "here")
                    shown.Update 2
                    Show.clear true)
            Expect.equal calls [ "display", "here", "1"; "update", "here", "2"; "clear", "True", "" ] "in order"
        }

        test "outside a cell nothing comes of it" { (Show.display 1).Update 2 }

        test "the progress of trials is shown once and then changed in place, and ends with every score" {
            let trials = [| Trial(Model = "tsresnet18"); Trial(Model = "mamba") |]
            let record = inFolder (fun folder -> write folder baseline |> ignore; (Runs.load folder).Runs.Head.Record)
            let calls =
                inCell (fun () ->
                    use progress = new StudyProgress(trials)
                    for index in 0..1 do
                        for done' in 0L .. 100L do
                            (progress.Of index).Report(RunEvent("r", RunPhase.Training, BirdResearch.Training.TrainingProgress(1, 2, done', 100L, 50.0, null)))
                        (progress.Of index).Report(RunEvent("r", RunPhase.Finished, Record = record)))
            Expect.equal (calls |> List.filter (fun (kind, _, _) -> kind = "display") |> List.length) 1 "one display"
            Expect.isLessThan calls.Length 20 "a few updates, not one for each of 200 steps"
            let kind, _, last = List.last calls
            Expect.equal (kind, last) ("update", "2 of 2 runs are there") "the end is drawn"
        } ]

let private findings =
    testList "of findings" [
        test "findings of runs give table, figures and sentences of these runs alone" {
            inFolder (fun folder ->
                for model, skill in [ "tsresnet18", 2.5; "mamba", 0.5 ] do
                    for seed in 1..2 do
                        write folder { baseline with Model = model; Skill = skill; Seed = seed } |> ignore
                let set = Runs.load folder
                let found = Findings.Of set
                Expect.equal (List.ofSeq found.Table.RowKeys) [ for arm in found.Arms -> arm.Label ] "a row per arm"
                let focal = (found.Table.GetColumn<float> "focal mAP").GetAt 0
                Expect.equal focal (Math.Round(Arms.map "focal" found.Arms.Head, 4)) "the mean of its runs"
                Expect.stringContains (text found) "focal mAP" "shown as its table"
                Expect.stringContains (text set) "tsresnet18" "a set of runs as a table too"
                Expect.isNonEmpty found.Sentences "sentences"
                Expect.isTrue ((found.Apart "focal").Head.Contains "told apart") "a verdict"
                for drawn in [ found.Comparison; found.Ranks "focal"; found.LearningCurves; found.LossCurves; found.Overfitting; found.DomainShift; found.Price "focal"; found.Size "soundscape"; found.Species ] do
                    Expect.isTrue ((Formatters.Of drawn).Data.ContainsKey MimeBundle.PlotlyType) "a chart"
                let names = [ for trace in GenericChart.getTraces found.LearningCurves do match trace.TryGetTypedPropertyValue<string> "name" with Some name -> name | None -> () ]
                Expect.containsAll names [ for arm in found.Arms -> arm.Label ] "each arm is named in the key"
                let error = Expect.throwsC (fun () -> found.Ranks "dawn" |> ignore) _.Message
                Expect.stringContains error "focal and soundscape" "the domains that there are")
        }

        test "a grid is changed by model, front-end, data, budget and seeds" {
            let grid = Ablations.Models.WithModels([ "tsresnet18"; "mamba" ]).WithBudget("400 clips").On([ "birds" ]).OverSeeds 2
            Expect.equal grid.Trials.Count 4 "two models, two seeds"
            Expect.equal [ for trial in grid.Trials -> string trial.Training.Budget ] (List.replicate 4 "400 clips") "its budget"
            Expect.equal (grid.Trials |> Seq.map _.Data |> Seq.distinct |> List.ofSeq) [ "birds" ] "its data"
            Expect.throwsT<ArgumentException> (fun () -> grid.OverSeeds 0 |> ignore) "no seeds"
        } ]

let tests = testList "Display" [ values; sound; tensors; charts; displays; findings ]
