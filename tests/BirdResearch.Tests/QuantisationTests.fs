module BirdResearch.Tests.QuantisationTests

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

let private none = Dictionary<string, string>()

/// Features with a structure: tones that rise and fall in noise, another in each clip.
let private features (shape: InputShape) (clips: int) (seed: int) =
    let random = Random seed
    Tensors.shaped [ int64 clips; shape.Channels; shape.Rows; shape.Frames ]
        (Array.init (clips * int shape.Rows * int shape.Frames) (fun i ->
            let clip, row, frame = i / int (shape.Rows * shape.Frames), i / int shape.Frames % int shape.Rows, i % int shape.Frames
            let centre = float shape.Rows * (0.5 + 0.4 * sin (0.1 * float frame * (1.0 + 0.3 * float clip)))
            float32 (2.5 * exp (-0.2 * (float row - centre) ** 2.0) + 0.3 * (random.NextDouble() - 0.5) - 0.4)))

let private batchOf (x: torch.Tensor) = struct (ReadOnlyMemory(x.contiguous().data<float32>().ToArray()), x.shape)

/// A filled model in evaluation mode, its float32 graph, and the plan of its 8-bit form.
let private planned (name: string) work =
    let shape = InputShape(1L, 64L, 96L)
    use model = Classifiers.Create(name, 7, shape, ModelOptions(Seed = Nullable 1))
    ExportTests.fill model
    model.eval ()
    let graph = OnnxExport.Graph model
    work shape graph (Quantisation(graph, graph.Inputs[0].Value))

let private running (graph: OnnxGraph) (x: torch.Tensor) =
    use session = new OnnxSession(OnnxFile.Bytes(graph, none))
    session.Run(ReadOnlyMemory(x.contiguous().data<float32>().ToArray()), x.shape)

let private standard =
    set [ "Add"; "Conv"; "DequantizeLinear"; "Flatten"; "Gemm"; "GlobalAveragePool"; "Identity"; "MaxPool"; "Mul"; "QuantizeLinear"; "Relu"; "Reshape"; "Sigmoid" ]

let private graphs =
    testList "graphs" [
        for name in [ "resnet_tiny"; "tsresnet_tiny"; "tf_efficientnet_tiny" ] do
            Tensors.torchTest $"{name} in int8 gives logits near those of float32, for windows that it was not calibrated on too" (fun () ->
                planned name (fun shape graph plan ->
                    let seen, fresh = features shape 8 1, features shape 4 2
                    let integer = plan.Graph(plan.Measure [ batchOf seen ])
                    for what, x in [ "calibrated", seen; "fresh", fresh ] do
                        let want, got = running graph x, running integer x
                        let spread = Array.max want - Array.min want
                        let apart = Array.map2 (fun a b -> abs (a - b)) want got
                        Expect.isGreaterThan spread 0.05f "logits worth comparing"
                        Expect.isGreaterThan (Array.max apart) (1e-6f * spread) "integers do round"
                        Expect.isLessThan (Array.max apart / spread) 0.1f $"{what}: worst"
                        Expect.isLessThan (Array.average apart / spread) 0.03f $"{what}: mean"))
            Tensors.torchTest $"{name} in int8 is standard operators with a code for every chosen kernel, and is smaller" (fun () ->
                planned name (fun shape graph plan ->
                    let integer = plan.Graph(plan.Measure [ batchOf (features shape 2 1) ])
                    Expect.isGreaterThan plan.Convolutions 1 "convolutions"
                    let kernels = integer.Constants |> Seq.filter (fun struct (_, c) -> c.Type = OnnxType.Int8 && c.Shape.Count = 4) |> Seq.length
                    Expect.equal kernels plan.Convolutions "kernels"
                    Expect.isEmpty (Set.difference (set (integer.Nodes |> Seq.map _.Operator)) standard) "operators"
                    let bytes (g: OnnxGraph) = OnnxFile.Bytes(g, none).Length
                    Expect.isLessThan (bytes integer) (bytes graph) "bytes"
                    Expect.isFalse (graph.Nodes |> Seq.exists (fun n -> n.Operator = "QuantizeLinear")) "the float32 graph stays as it is"))
        Tensors.torchTest "a ReLU's map has its zero at code 0, and weights use the whole signed range" (fun () ->
            planned "resnet_tiny" (fun shape _ plan ->
                let integer = plan.Graph(plan.Measure [ batchOf (features shape 2 1) ])
                let values = Dictionary<OnnxValue, OnnxConstant>()
                for struct (value, constant) in integer.Constants do values[value] <- constant
                let rectified = integer.Nodes |> Seq.filter (fun n -> n.Operator = "Relu") |> Seq.map (fun n -> n.Outputs[0]) |> HashSet
                let codes = integer.Nodes |> Seq.filter (fun n -> n.Operator = "QuantizeLinear" && rectified.Contains n.Inputs[0]) |> List.ofSeq
                Expect.isNonEmpty codes "codes of ReLU's maps"
                for node in codes do Expect.equal (values[node.Inputs[2]].Bytes[0]) 0uy "zero"
                for constant in values.Values do
                    if constant.Type = OnnxType.Int8 && constant.Shape.Count = 4 then
                        let each = constant.Bytes.Length / int constant.Shape[0]
                        for kernel in Array.chunkBySize each constant.Bytes do
                            Expect.equal (kernel |> Array.map (fun b -> abs (int (sbyte b))) |> Array.max) 127 "largest code"))
        Tensors.torchTest "ranges cover what the calibration windows hold, and more windows never narrow them" (fun () ->
            planned "resnet_tiny" (fun shape _ plan ->
                let few, more = plan.Measure [ batchOf (features shape 2 1) ], plan.Measure [ batchOf (features shape 2 1); batchOf (features shape 3 5) ]
                for a, b in Seq.zip few more do Expect.isTrue (b.Least <= a.Least && b.Greatest >= a.Greatest && a.Least <= 0f && a.Greatest > 0f) $"{a} in {b}"))
        Tensors.torchTest "no calibration window, or ranges of another model, are refused" (fun () ->
            planned "tsresnet_tiny" (fun _ _ plan ->
                Expect.stringContains (Tensors.messageOf (fun () -> plan.Measure [])) "no window" "none"
                Expect.stringContains (Tensors.messageOf (fun () -> plan.Graph [||])) "0 ranges" "others"))
        for name in [ "linear_tiny"; "mamba_tiny" ] do
            Tensors.torchTest $"{name} has no convolution to quantise" (fun () ->
                let shape = ModelsTests.shapeOf name
                use model = Classifiers.Create(name, 3, shape)
                model.eval ()
                let graph = OnnxExport.Graph model
                Expect.equal (Quantisation(graph, graph.Inputs[0].Value).Convolutions) 0 "convolutions")
    ]

let private verdicts =
    testList "verdicts" [
        let judged speed before after =
            QuantisedRun("model.int8.onnx", false, 3, 4, 5, MeasuredFile(before, 0.9, 4L), MeasuredFile(after, 0.9, 1L), speed).Drawback
        test "int8 pays where it is faster and loses little" {
            Expect.isNull (judged 1.5 0.5 0.495) "a small loss"
            Expect.isNull (judged 1.5 0.5 0.52) "a gain"
        }
        test "int8 does not pay where it is slower or loses much, and the reason is named" {
            Expect.stringContains (string (judged 0.8 0.5 0.5)) "0.800 times as fast" "slower"
            Expect.stringContains (string (judged 1.5 0.5 0.45)) "loses 0.0500" "much lost"
            Expect.stringContains (string (judged 1.5 nan nan)) "loses" "nothing measured"
        }
    ]

let private runs =
    testList "a run" [
        test "is written in int8 with what it is in its metadata, or not at all where that does not pay" {
            let store = ExperimentTests.freshStore ()
            let record = TrialRunner(store).Run("a", ExperimentTests.trial.Value)
            let folder = store.FolderNamed record.Name
            use model = TrainedModel.Open folder
            let data = Datasets.Open model.Record.Trial.Data
            let held = Splits.Of(data, model.Record.Trial.Fold).Validation.Count
            let run = RunQuantisation.Write(model, data)
            Expect.equal run.IsWritten (isNull run.Drawback) "written where it pays"
            Expect.equal (File.Exists run.Path) run.IsWritten "the file"
            let forced = RunQuantisation.Write(model, data, always = true)
            Expect.isTrue forced.IsWritten "written as asked"
            Expect.equal forced.Recordings held "held-out recordings"
            Expect.equal (Path.GetFileName forced.Path) RunQuantisation.FileName "place"
            Expect.isLessThan forced.Integer.Bytes forced.Float.Bytes "smaller"
            Expect.floatClose { absolute = 1e-6; relative = 0.0 } forced.Float.MeanAveragePrecision (record.Scores["focal"].Map.GetValueOrDefault nan) "float32 scores as torch did after training"
            use opened = OnnxModel.Open forced.Path
            Expect.equal opened.Card.Quantised ModelCard.Int8 "metadata"
            Expect.equal opened.Card.Name (record.Name + ".int8") "a name of its own"
            Expect.isEmpty (Directory.GetFiles(folder, "*.unchecked")) "nothing is left behind"
        }
        test "of a model without convolutions is refused, and the message names it" {
            let store = ExperimentTests.freshStore ()
            let trial = Trial(Data = ExperimentTests.trial.Value.Data, Model = "linear_tiny", FrontEnd = "mel-64", Training = TrainingTests.settings)
            let record = TrialRunner(store).Run("a", trial)
            use model = TrainedModel.Open(store.FolderNamed record.Name)
            Expect.throwsC (fun () -> RunQuantisation.Write(model, Datasets.Open trial.Data) |> ignore) (fun e ->
                Expect.stringContains e.Message "linear_tiny" "the model"
                Expect.stringContains e.Message "No file is written" "outcome")
        }
        test "a file in a form that is not known is refused" {
            let card =
                ModelCard(
                    Name = "x", Model = "resnet_tiny", FrontEnd = "mel", Run = "r", SampleRate = 16000, Seconds = 1.0, Classes = [| "a" |],
                    Scores = ScoreRule.Sigmoid, Prior = [| 0.5 |], Preprocessing = "{}", Quantised = "int4")
            Expect.throwsC (fun () -> ModelCard.FromMetadata(card.ToMetadata(), "x.onnx") |> ignore) (fun e ->
                Expect.isTrue (e :? InvalidDataException) $"{e.GetType()}"
                Expect.stringContains e.Message "int4" "the form")
        }
        test "bird export refuses forms other than int8, and --force alone" {
            for arguments, part in
                [ [ "--quantise"; "fp16" ], "int8"
                  [ "--force" ], "--quantise" ] do
                let code, _, errors = CliTests.bird ([ "export"; "a-run" ] @ arguments)
                Expect.equal code 1 "code"
                Expect.stringContains errors part (String.Join(' ', arguments))
        }
    ]

let tests = testSequencedGroup "torch" <| testList "Quantisation" [ graphs; verdicts; runs ]
