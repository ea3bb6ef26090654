module BirdResearch.Tests.EnsembleRunsTests

open System
open System.IO
open System.Collections.Generic
open Expecto
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Export.Graph
open BirdResearch.Inference
open BirdResearch.Inference.Prediction
open BirdResearch.Inference.Submission
open BirdResearch.Training
open BirdResearch.Tests.SmallData

/// Two models by two folds, trained for a moment.
let private trained =
    lazy
        (let store = ExperimentTests.freshStore ()
         let data = (TrainingTests.tinyData.Force()).Root
         let folds = Splits.Of(Datasets.Open data, Nullable()).Folds |> Seq.take 2 |> List.ofSeq
         let runner = TrialRunner store
         let runs =
             [ for model in [ "tsresnet_tiny"; "linear_tiny" ] do
                 for fold in folds ->
                     runner.Run("a", Trial(Data = data, Model = model, FrontEnd = "mel-64", Fold = Nullable fold, Training = TrainingSettings(Budget = Budget.OfEpochs 1, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 2))) ]
         store, data, [ for run in runs -> store.FolderOf("a", run.Name) ])

let private throwsAbout (words: string list) (work: unit -> unit) =
    match (try work (); None with e -> Some e) with
    | None -> failtest "nothing was refused"
    | Some e -> for word in words do Expect.stringContains e.Message word "the message"

let private soundscapes data = Path.Combine(data, "soundscapes")

let private score (workers: int) (models: IWindowClassifier list) folder =
    let members = [ for m in models -> Member m ]
    let predictions = Predictions(SubmissionPlan.Of(TestFolder.Open folder, members.Head.Model.Card.Classes), members)
    Predictor(predictions, PredictorSettings(Workers = workers, BatchSize = 3, StretchRows = 1), (fun () -> ()), null).Run()
    (Combination.Of members).Combine predictions

let tests =
    testSequencedGroup "torch"
    <| testList "Ensembles of runs" [
        test "a run scores soundscapes alike from its folder and from its ONNX file, with one worker and with four" {
            let _, data, folders = trained.Value
            use torch = TrainedModel.Open folders.Head
            let file = RunExport.Write(torch, Path.Combine(folders.Head, RunExport.FileName), Datasets.Open data).Path
            use onnx = OnnxModel.Open file
            Expect.equal onnx.Card.Name torch.Card.Name "a file that is just called model has the run's name"
            let byTorch = score 1 [ torch ] (soundscapes data)
            Expect.equal (score 4 [ torch ] (soundscapes data)) byTorch "torch, four workers"
            let byOnnx = score 1 [ onnx ] (soundscapes data)
            Expect.equal (score 4 [ onnx ] (soundscapes data)) byOnnx "onnxruntime, four workers"
            for a, b in Array.zip byTorch byOnnx do Expect.isLessThan (abs (a - b)) 1e-4f "torch against onnxruntime"
            Expect.isGreaterThan (Array.max byTorch - Array.min byTorch) 1e-3f "the scores differ from row to row"
        }

        test "runs that differ in their fold alone are one candidate, validated on what each held out" {
            let _, _, folders = trained.Value
            let notes = List<string>()
            let candidates = EnsembleCandidates.Of(folders, notes)
            Expect.equal [ for c in candidates -> c.Name, c.Folders.Count ] [ "tsresnet_tiny.mel-64.s1", 2; "linear_tiny.mel-64.s1", 2 ] "candidates"
            let heldOut = [ for f in folders[..1] -> RunFiles.ReadScores(f, "focal") ]
            Expect.equal (set candidates[0].Validation.Ids) (heldOut |> Seq.collect _.Ids |> set) "rows"
            let id = heldOut[1].Ids[0]
            let joined = candidates[0].Validation
            let at (scores: BirdResearch.Metrics.Scores) = let r = Seq.findIndex ((=) id) scores.Ids in scores.Values.Slice(r * scores.Classes.Count, scores.Classes.Count).ToArray()
            Expect.equal (at joined) (at heldOut[1]) "each row is of the run that held it out"
            Expect.isEmpty notes "nothing was left out"
            let one = EnsembleCandidates.Of([ folders[0]; folders[2]; folders[3] ], notes)
            Expect.equal [ for c in one -> c.Validation.Ids.Count ] [ heldOut[0].Ids.Count; heldOut[0].Ids.Count ] "rows that all have"
            Expect.isNonEmpty notes "and that is told"
        }

        test "runs that share no held-out recording, or are one fold twice, make no candidates" {
            let _, _, folders = trained.Value
            throwsAbout [ "--fold all" ] (fun () -> EnsembleCandidates.Of([ folders[0]; folders[3] ], List()) |> ignore)
            throwsAbout [ "same fold" ] (fun () -> EnsembleCandidates.Of([ folders[0]; folders[0] ], List()) |> ignore)
        }

        test "scores read back as they were written" {
            let _, _, folders = trained.Value
            let scores = RunFiles.ReadScores(folders.Head, "soundscape")
            let record = RunStore.ReadRecord(Path.Combine(folders.Head, "run.json"))
            Expect.equal scores.Ids.Count record.Scores["soundscape"].Rows "rows"
            let map = BirdResearch.Metrics.Ranking.MeanAveragePrecision scores
            if record.Scores["soundscape"].Map.HasValue then Expect.equal map record.Scores["soundscape"].Map.Value "mAP of what was read"
            throwsAbout [ "scores.nowhere.csv" ] (fun () -> RunFiles.ReadScores(folders.Head, "nowhere") |> ignore)
        }

        test "bird ensemble, predict, score and rehearse work one after another on the command line" {
            let store, data, folders = trained.Value
            use place = new Scratch()
            let bird args = CliTests.start store.Root args |> CliTests.finish
            let ok args =
                let code, output, error = bird args
                Expect.equal code 0 $"%A{args}: {output}{error}"
                output
            ok [ "export"; folders[1]; "--threads"; "1" ] |> ignore
            let ensemble = place.Path "ensemble.json"
            let told = ok ([ "ensemble" ] @ folders @ [ "--test"; soundscapes data; "--seconds"; "1"; "--workers"; "2"; "--rule"; "logits"; "--calibrate"; "--class-weights"; "10"; "--out"; ensemble ])
            for word in [ "linear_tiny.mel-64.s1"; "chosen"; "Correlation" ] do Expect.stringContains told word "what is told"
            let submission = place.Path "submission.csv"
            ok [ "predict"; "--test"; soundscapes data; "--model"; ensemble; "--out"; submission; "--workers"; "2"; "--smooth"; "0.2,0.6,0.2" ] |> ignore
            let struct (ids, _, scores) = SubmissionFile.Read submission
            Expect.equal ids.Count 3 "rows of 15 s"
            Expect.all scores (fun x -> x >= 0.0 && x <= 1.0) "probabilities"
            Expect.isTrue (File.Exists(place.Path "submission.log")) "the log"
            let truth = [ "soundscape_labels.csv"; "soundscape_truth.csv" ] |> List.map (fun f -> Path.Combine(data, f)) |> List.find File.Exists
            Expect.stringContains (ok [ "score"; submission; "--truth"; truth ]) "macro ROC-AUC" "the metrics"
            let rehearsed = ok [ "rehearse"; "--test"; soundscapes data; "--model"; folders[0]; folders[2]; "--files"; "1100"; "--seconds"; "1"; "--workers"; "2" ]
            Expect.stringContains rehearsed "52800 windows" "rows of the whole test"
            let recording = Directory.GetFiles(soundscapes data)[0]
            ok [ "predict"; recording; "--model"; folders[0]; "--threshold"; "0"; "--format"; "audacity,raven,csv"; "--out"; place.Path "tables" ] |> ignore
            Expect.equal (Directory.GetFiles(place.Path "tables").Length) 3 "tables"
        }

        test "bad input of predict, score, rehearse and ensemble ends with a code other than zero and says what was wrong" {
            let store, data, folders = trained.Value
            use place = new Scratch()
            place.Text("broken.onnx", [ "no model" ])
            place.Text("empty/notes.txt", [ "x" ])
            place.Text("broken.json", [ "{}" ])
            for args, word in
                [ [ "predict" ], "--test"
                  [ "predict"; "--test"; soundscapes data ], "--model"
                  [ "predict"; "--test"; place.Path "empty"; "--model"; folders[0] ], "no recording"
                  [ "predict"; "--test"; soundscapes data; "--model"; place.Path "broken.onnx" ], "broken.onnx"
                  [ "predict"; "--test"; soundscapes data; "--model"; place.Path "none.onnx" ], "none.onnx"
                  [ "predict"; "--test"; soundscapes data; "--model"; place.Path "broken.json" ], "broken.json"
                  [ "predict"; "--test"; soundscapes data; "--model"; folders[0]; "--deadline"; "soon" ], "soon"
                  [ "predict"; "--test"; soundscapes data; "--model"; folders[0]; folders[0] ], "twice"
                  [ "predict"; "--test"; soundscapes data; "--model"; folders[0]; "--smooth"; "a" ], "'a'"
                  [ "predict"; place.Path "none.ogg"; "--model"; folders[0] ], "none.ogg"
                  [ "predict"; "x.ogg"; "--model"; folders[0]; "--format"; "ravn" ], "raven"
                  [ "rehearse"; "--test"; soundscapes data; "--model"; folders[0]; "--seconds"; "0" ], "--seconds"
                  [ "ensemble"; folders[0]; "--weights"; "greed" ], "greedy"
                  [ "score"; "none.csv"; "--truth"; "none.csv" ], "none.csv" ] do
                let code, output, error = CliTests.start store.Root args |> CliTests.finish
                Expect.notEqual code 0 $"exit code of %A{args}"
                Expect.stringContains error word $"message of %A{args}"
                Expect.isFalse ((output + error).Contains "   at ") $"no stack trace for %A{args}"
        }

        test "a submission whose process is killed on the way is whole and valid, and the same command goes on from there" {
            let store, _, folders = trained.Value
            use place = new Scratch()
            for i in 0 .. 59 do place.Ramp($"test/r{i:D2}.wav", 60.0, 32000)
            let submission = place.Path "submission.csv"
            let args = [ "predict"; "--test"; place.Path "test"; "--model"; folders[0]; folders[2]; "--out"; submission; "--workers"; "1"; "--batch"; "1" ]
            use killed = CliTests.start store.Root args
            let waited = Diagnostics.Stopwatch.StartNew()
            while not (File.Exists submission) && waited.Elapsed.TotalSeconds < 60.0 do Threading.Thread.Sleep 20
            Threading.Thread.Sleep 500
            killed.Kill true
            killed.WaitForExit()
            let struct (ids, columns, scores) = SubmissionFile.Read submission
            Expect.equal (ids.Count, scores.Length) (720, 720 * columns.Count) "every row and cell"
            Expect.all scores (fun x -> x >= 0.0 && x <= 1.0) "probabilities"
            let code, output, error = CliTests.start store.Root (List.take 7 args @ [ submission ]) |> CliTests.finish
            Expect.equal code 0 (output + error)
            let struct (after, _, _) = SubmissionFile.Read submission
            Expect.equal (List.ofSeq after) (List.ofSeq ids) "the same rows"
        }

        test "an ensemble reads back with its classes in any order, and a file that describes none is refused by name" {
            use place = new Scratch()
            let ensemble =
                Ensemble(
                    Members = [ "m"; "n" ], Weights = [ 0.25; 0.75 ], ClassWeights = [ [ 1.0; 0.0 ]; [ 0.0; 1.0 ] ],
                    PostProcessing = PostProcessing(Calibration = ClassCalibration(Slopes = [ 2.0; 3.0 ], Offsets = [ -1.0; 1.0 ])))
            let file = EnsembleFile([ EnsembleMember("m", [ "a.onnx" ], 0.1, 1.0); EnsembleMember("n", [ "b.onnx" ], 0.2, 2.0) ], [ "wren"; "robin" ], ensemble, "ROC-AUC", 0.9)
            file.Write(place.Path "e.json")
            let back = EnsembleFile.Read(place.Path "e.json").For [ "robin"; "stork"; "wren" ]
            Expect.equal (back.ClassWeights |> nonNull |> Seq.map List.ofSeq |> List.ofSeq) [ [ 0.0; 1.0 ]; [ 0.25; 0.75 ]; [ 1.0; 0.0 ] ] "weights by class"
            Expect.equal (back.PostProcessing.Calibration |> nonNull |> _.Slopes |> List.ofSeq) [ 3.0; 1.0; 2.0 ] "slopes by class"
            for text in [ ""; "[]"; "{}"; """{"members":[],"classes":[],"metric":"","score":0,"ensemble":{}}"""; File.ReadAllText(place.Path "e.json").Replace("\"m\"", "\"x\"").Replace("[\n      \"x\"", "[\n      \"y\"") ] do
                place.Text("bad.json", [ text ])
                throwsAbout [ "bad.json" ] (fun () -> EnsembleFile.Read(place.Path "bad.json") |> ignore)
        }

        test "an ONNX file that says nothing of itself, lies about its shapes or is none is refused by name" {
            use place = new Scratch()
            let card = Listening.card "m" 1000 0.01 [ "a"; "b" ]
            let write (name: string) samples classes (metadata: IReadOnlyDictionary<string, string>) =
                let graph = OnnxGraph()
                let x = graph.Input("samples", OnnxType.Float, [| nonNull (box "batch"); nonNull (box samples) |])
                let w = graph.Floats(ReadOnlySpan(Array.init (samples * classes) float32), int64 samples, int64 classes)
                graph.Output("logits", graph.Add("MatMul", [ x; w ]), OnnxType.Float, [| nonNull (box "batch"); nonNull (box classes) |])
                OnnxFile.Write(place.Path name, graph, metadata)
            write "good.onnx" 10 2 (card.ToMetadata())
            use model = OnnxModel.Open(place.Path "good.onnx")
            let logits = Array.zeroCreate<float32> 4
            model.Score(ReadOnlyMemory(Array.create 20 1f), 2, Span logits)
            Expect.equal logits [| 90f; 100f; 90f; 100f |] "its logits"
            Expect.throws (fun () -> model.Score(ReadOnlyMemory(Array.create 19 1f), 2, Span logits)) "too few samples"
            write "bare.onnx" 10 2 (Dictionary())
            write "lies.onnx" 9 2 (card.ToMetadata())
            let prior = Dictionary(card.ToMetadata())
            prior["prior"] <- "[0.1]"
            write "prior.onnx" 10 2 prior
            place.Text("text.onnx", [ "not a model" ])
            for name, word in [ "bare.onnx", "bird export"; "lies.onnx", "(B, 10)"; "prior.onnx", "prior"; "text.onnx", "onnxruntime"; "none.onnx", "no model file" ] do
                throwsAbout [ name; word ] (fun () -> OnnxModel.Open(place.Path name) |> ignore)
        }
    ]
