module BirdResearch.Tests.ExportTests

open System
open Expecto
open TorchSharp
open BirdResearch.Export
open BirdResearch.Export.Graph
open BirdResearch.Inference
open BirdResearch.Models
open BirdResearch.Reference

let private none = dict<string, string> [] |> fun d -> System.Collections.Generic.Dictionary d

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

let tests = testSequencedGroup "torch" <| testList "Export" [ alone ]
