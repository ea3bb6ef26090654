module BirdResearch.Tests.ExportTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Export
open BirdResearch.Export.Graph
open BirdResearch.Features
open BirdResearch.Inference
open BirdResearch.Models
open BirdResearch.Reference

let private none = Dictionary<string, string>()

/// Every entry of the state dictionary takes the value that the fill rule gives it: norms with statistics, logits that are not tiny.
let fill (model: Classifier) =
    use _ = torch.NewDisposeScope()
    use _ = torch.no_grad ()
    for struct (key, tensor) in StateDictionary.Of model do
        match Fill.Parameter(key, tensor.shape) with
        | null -> ()
        | values -> tensor.copy_(torch.tensor(values).reshape(tensor.shape).``to``(tensor.dtype)) |> ignore

/// The largest difference between onnxruntime's and torch's logits over the largest of torch's, for a model on its own.
let difference (model: Classifier) (features: torch.Tensor) =
    use _ = torch.NewDisposeScope()
    use _ = torch.no_grad ()
    let want = model.call(features).data<float32>().ToArray()
    use session = new OnnxSession(OnnxFile.Bytes(OnnxExport.Graph model, none))
    let got = session.Run(ReadOnlyMemory(features.contiguous().data<float32>().ToArray()), features.shape)
    let largest = want |> Array.fold (fun m x -> max m (abs x)) 0f
    Expect.isGreaterThan largest 1e-2f "logits worth comparing"
    (Array.map2 (fun a b -> abs (a - b)) want got |> Array.max) / largest

let private alone =
    testList "a model alone" [
        for entry in Classifiers.All |> Seq.filter _.IsTest do
            let name = entry.Name
            let isSequence = List.contains entry.Family [ "mamba"; "vim"; "mamba-raw"; "sashimi"; "ssamba" ]
            for channels in (if isSequence then [ 1L ] else [ 1L; 3L ]) do
                Tensors.torchTest $"{name} gives the same logits in onnxruntime with {channels} channels, for any batch" (fun () ->
                    // Odd sizes for image models: what SAME padding adds before and after differs there.
                    let shape = if isSequence then ModelsTests.shapeOf name else InputShape(channels, 37L, 75L)
                    use model = Classifiers.Create(name, 7, shape, ModelOptions(Seed = Nullable 1))
                    fill model
                    model.eval ()
                    for clips in [ 1L; 3L ] do
                        let x = torch.randn(clips, shape.Channels, shape.Rows, shape.Frames)
                        Expect.isLessThan (difference model x) 1e-4f $"{clips} clips")
    ]

/// The front-end that a model is made for, of a size for tests, and the window it is given.
let private small (entry: ClassifierEntry) =
    match entry.FrontEnd with
    | "ssamba-fbank" ->
        FrontEndSettings(Kind = "kaldi-fbank", SampleRate = 16000, Fbank = FbankSettings(TargetFrames = Nullable 64), Normalisation = Normalisation.Fixed, Mean = -6.6, Std = 10.7), 0.6
    | name when entry.ReadsSound -> FrontEnds.Named name, 0.1
    | _ -> FrontEndSettings(Kind = "mel", SampleRate = 16000, Mel = MelSettings(Mels = 40, Fft = 512, Hop = 250, MaxHz = 8000.0)), 0.75

let private cardOf name (frontEnd: FrontEnd) seconds =
    ModelCard(
        Name = name, Model = name, FrontEnd = "small", Run = "a run", SampleRate = frontEnd.SampleRate, Seconds = seconds, Classes = [| "Häher"; "b, c"; "d" |],
        Scores = ScoreRule.Softmax, Prior = [| 0.5; 0.25; 0.25 |], Preprocessing = "{}")

let private fileIn folder (name: string) = Path.Combine(folder, $"{name}.onnx")

let private inFolder (work: string -> unit) =
    let folder = Directory.CreateTempSubdirectory("bird-export-").FullName
    try work folder finally Directory.Delete(folder, true)

let private scores (model: IWindowClassifier) (windows: float32[]) count =
    let logits = Array.zeroCreate (count * model.Card.Classes.Count)
    model.Score(ReadOnlyMemory windows, count, logits.AsSpan())
    logits

let private withFrontEnd =
    testList "a model with its front-end" [
        for entry in Classifiers.All |> Seq.filter _.IsTest do
            Tensors.torchTest $"{entry.Name} in a file takes samples, gives torch's logits for any batch, and says what it is" (fun () -> inFolder (fun folder ->
                use _ = torch.no_grad ()
                let settings, seconds = small entry
                use frontEnd = FrontEnds.Create settings
                use model = Classifiers.Create(entry.Name, 3, TrialRunner.ShapeOf(frontEnd, seconds), ModelOptions(Seed = Nullable 1))
                fill model
                model.eval ()
                let card, file = cardOf entry.Name frontEnd seconds, fileIn folder entry.Name
                OnnxFile.Write(file, OnnxExport.Graph(frontEnd, model, card), card.ToMetadata())
                Expect.isFalse (File.ReadAllText(file, Text.Encoding.Latin1).Contains "com.microsoft") "standard operators only"
                use opened = OnnxModel.Open file
                Expect.equal (List.ofSeq opened.Card.Classes) (List.ofSeq card.Classes) "classes"
                Expect.equal (opened.Card.Model, opened.Card.Run, opened.Card.SampleRate, opened.Card.Seconds, opened.Card.Scores) (entry.Name, "a run", 16000, seconds, ScoreRule.Softmax) "card"
                Expect.equal (List.ofSeq opened.Card.Prior) [ 0.5; 0.25; 0.25 ] "prior"
                for count in [ 1; 3 ] do
                    let sound = Tensors.sound count card.WindowSamples
                    let want = model.call(frontEnd.call sound).data<float32>().ToArray()
                    let got = scores opened (sound.data<float32>().ToArray()) count
                    let largest = want |> Array.map abs |> Array.max
                    Expect.isGreaterThan largest 1e-3f "logits worth comparing"
                    Expect.isLessThan ((Array.map2 (fun a b -> abs (a - b)) want got |> Array.max) / largest) 1e-4f $"{count} windows"))
    ]

let private refusals =
    testList "a file that does not say what it is" [
        for what, change, part in
            [ "without metadata", (fun (m: Dictionary<string, string>) -> m.Clear()), "metadata"
              "of another format", (fun m -> m["bird.format"] <- "99"), "99"
              "with fewer classes than logits", (fun m -> m["classes"] <- "[\"a\"]"), "prior"
              "with another length", (fun m -> m["seconds"] <- "3"), "samples"
              "with a rate that is none", (fun m -> m["sample_rate"] <- "fast"), "sample_rate"
              "with an unknown rule of scores", (fun m -> m["scores"] <- "argmax"), "argmax" ] do
            Tensors.torchTest $"{what} is refused, and the message names it" (fun () -> inFolder (fun folder ->
                let entry = Classifiers.Named "linear_tiny"
                let settings, seconds = small entry
                use frontEnd = FrontEnds.Create settings
                use model = Classifiers.Create(entry.Name, 3, TrialRunner.ShapeOf(frontEnd, seconds))
                let card, file = cardOf entry.Name frontEnd seconds, fileIn folder "wrong"
                let metadata = Dictionary(card.ToMetadata())
                change metadata
                OnnxFile.Write(file, OnnxExport.Graph(frontEnd, model, card), metadata)
                Expect.throwsC (fun () -> (OnnxModel.Open file).Dispose()) (fun e ->
                    Expect.isTrue (e :? InvalidDataException) $"{e.GetType()}"
                    Expect.stringContains e.Message file "the file"
                    Expect.stringContains e.Message part "the reason")))
        test "a file that is no ONNX model is refused" {
            inFolder (fun folder ->
                let file = fileIn folder "text"
                File.WriteAllText(file, "not a model")
                Expect.throwsC (fun () -> (OnnxModel.Open file).Dispose()) (fun e ->
                    Expect.isTrue (e :? InvalidDataException) $"{e.GetType()}"
                    Expect.stringContains e.Message file "the file"))
        }
    ]

let private runs =
    testList "a run" [
        test "becomes a file once onnxruntime agrees with torch, and none where it does not" {
            let store = ExperimentTests.freshStore ()
            let record = TrialRunner(store).Run("a", ExperimentTests.trial.Value)
            let folder = store.FolderNamed record.Name
            use model = TrainedModel.Open folder
            let data = Datasets.Open model.Record.Trial.Data
            let exported = RunExport.Write(model, data = data)
            Expect.equal exported.Path (Path.Combine(folder, RunExport.FileName)) "place"
            Expect.isLessThan exported.Worst RunExport.Tolerance "worst"
            Expect.isGreaterThan exported.RealWindows 0 "real windows"
            use opened = OnnxModel.Open exported.Path
            Expect.equal opened.Card.Run record.Name "run"
            let other = fileIn folder "other"
            model.Model.train () // torch now normalises by each batch's own figures, as no file does
            Expect.throwsC (fun () -> RunExport.Write(model, other) |> ignore) (fun e -> Expect.stringContains e.Message "No file is written" "message")
            Expect.isEmpty (Directory.GetFiles(folder, "other*")) "nothing is left behind"
        }
        test "is found by a part of its name that no other run has" {
            let store = ExperimentTests.freshStore ()
            let record = TrialRunner(store).Run("a", ExperimentTests.trial.Value)
            Expect.equal (store.FolderNamed "tsresnet_tiny.mel-64") (store.FolderOf("a", record.Name)) "part"
            Expect.throwsC (fun () -> store.FolderNamed "tsresnet_tinny" |> ignore) (fun e -> Expect.stringContains e.Message "tsresnet_tiny" "a near one")
        }
    ]

let tests = testSequencedGroup "torch" <| testList "Export" [ alone; withFrontEnd; refusals; runs ]
