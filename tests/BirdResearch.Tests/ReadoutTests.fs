module BirdResearch.Tests.ReadoutTests

open System
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Models
open BirdResearch.Tests.Tensors

let private create name rows = Classifiers.Create(name, 3, InputShape(1L, rows, 50L), ModelOptions(Seed = Nullable 1))

let private entry (model: Classifier) key =
    StateDictionary.Of model |> Seq.pick (fun struct (name, tensor) -> if name = key then Some tensor else None)

/// A readout whose running figures are not those of the start.
let private used name rows =
    let model = create name rows
    torch.manual_seed 3L |> ignore
    for _ in 1..4 do model.call(torch.randn(6L, 1L, rows, 50L) + torch.tensor 0.5f) |> ignore
    model.eval ()
    model

let tests : Test =
    testSequencedGroup "torch" (testList "Readout" [
        torchTest "the linear readout of a clip is the mean over its frames of one linear readout of each" (fun () ->
            use model = used "linear" 20L
            let x = torch.randn(5L, 1L, 20L, 30L)
            let whole = numbers (model.call x)
            let frames = torch.stack([| for t in 0L .. 29L -> model.call(x.narrow(3, t, 1L)) |], 0L).mean [| 0L |]
            Expect.isLessThan (widest whole (numbers frames)) 1e-5 "the mean of its frames"
            let y = torch.randn(5L, 1L, 20L, 30L)
            let mixed = model.call(x * torch.tensor 0.3f + y * torch.tensor 0.7f)
            let sum = model.call x * torch.tensor 0.3f + model.call y * torch.tensor 0.7f
            Expect.isLessThan (widest (numbers mixed) (numbers sum)) 1e-5 "affine in the features")
        torchTest "peaks and hidden layers are not linear in the features" (fun () ->
            for name in [ "linear_peaks"; "mlp" ] do
                use model = used name 20L
                let x, y = torch.randn(5L, 1L, 20L, 30L), torch.randn(5L, 1L, 20L, 30L)
                let mixed = model.call(x * torch.tensor 0.5f + y * torch.tensor 0.5f)
                let sum = (model.call x + model.call y) * torch.tensor 0.5f
                Expect.isGreaterThan (widest (numbers mixed) (numbers sum)) 1e-2 name)
        torchTest "logits are those of plain loops, and so is every gradient" (fun () ->
            use model = create "linear_peaks" 6L
            model.``to`` torch.float64 |> ignore
            let x = torch.randn([| 4L; 1L; 6L; 9L |], torch.float64)
            let logits = model.call x
            let slope = torch.linspace(-1.0, 1.0, 12L, dtype = torch.float64).reshape(4L, 3L)
            (logits * slope).sum().backward()
            let values = numbers x |> Array.chunkBySize 9 |> Array.chunkBySize 6                       // clip, row, frame
            let pooled = values |> Array.map (fun rows -> Array.append (rows |> Array.map Array.average) (rows |> Array.map Array.max))
            let standardised =
                Array.transpose pooled
                |> Array.map (fun column ->
                    let mean = Array.average column
                    let variance = column |> Array.averageBy (fun v -> (v - mean) ** 2.0)
                    column |> Array.map (fun v -> (v - mean) / sqrt (variance + 1e-5)))
                |> Array.transpose
            let weight, bias = numbers (entry model "fc.weight") |> Array.chunkBySize 12, numbers (entry model "fc.bias")
            let want = standardised |> Array.map (fun row -> Array.map2 (fun w b -> Array.fold2 (fun s a c -> s + a * c) b w row) weight bias)
            Expect.isLessThan (widest (numbers logits) (Array.concat want)) 1e-9 "logits"
            let slopes = numbers slope |> Array.chunkBySize 3
            let gradient =
                [| for c in 0..2 do for d in 0..11 -> Array.fold2 (fun s (g: float[]) (row: float[]) -> s + g[c] * row[d]) 0.0 slopes standardised |]
            let given (key: string) = model.named_parameters() |> Seq.pick (fun struct (name, p) -> if name = key then Some(numbers (nonNull p.grad)) else None)
            Expect.isLessThan (widest (given "fc.weight") gradient) 1e-9 "weights"
            Expect.isLessThan (widest (given "fc.bias") [| for c in 0..2 -> slopes |> Array.sumBy (fun g -> g[c]) |]) 1e-9 "biases")
        torchTest "every front-end's features are read, and the head is the one that scaling and transfer find" (fun () ->
            for frontEnd in [ "mel-64"; "kaldi-fbank"; "waveform-16k"; "expand-and-sparsify-64" ] do
                use features = FrontEnds.Create frontEnd
                let x = features.forward(sound 3 (2 * features.SampleRate))
                for name in [ "linear"; "linear_peaks"; "mlp" ] do
                    use model = Classifiers.Create(name, 4, InputShape(1L, x.shape[2], x.shape[3]))
                    let logits = model.call x
                    Expect.equal logits.shape [| 3L; 4L |] $"{name} on {frontEnd}"
                    Expect.isTrue (logits.isfinite().all().item<bool>()) $"{name} on {frontEnd}"
                    model.eval ()
                    let before = numbers (model.call x - entry model "fc.bias")
                    model.ScaleHead 0.5
                    Expect.isLessThan (widest (before |> Array.map (fun v -> v / 2.0)) (numbers (model.call x - entry model "fc.bias"))) 1e-4 "half the head")
        torchTest "dropout changes training and not scoring" (fun () ->
            use model = Classifiers.Create("linear", 3, InputShape(1L, 40L, 20L), ModelOptions(DropRate = 0.5))
            let x = torch.randn(4L, 1L, 40L, 20L)
            Expect.notEqual (numbers (model.call x)) (numbers (model.call x)) "training"
            model.eval ()
            Expect.equal (numbers (model.call x)) (numbers (model.call x)) "scoring")
        test "features of other rows are refused with both numbers" {
            use _ = torch.NewDisposeScope()
            use model = create "linear" 20L
            Expect.stringContains (messageOf (fun () -> model.call(torch.zeros(2L, 1L, 21L, 50L)))) "built for 20 rows, but the features have 21" ""
        }
    ])
