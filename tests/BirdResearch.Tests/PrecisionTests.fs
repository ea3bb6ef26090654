module BirdResearch.Tests.PrecisionTests

open System
open Expecto
open TorchSharp
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private names =
    [ for entry in Classifiers.All do
          if entry.IsTest then
              use model = Classifiers.Create(entry.Name, 3, ModelsTests.shapeOf entry.Name)
              if model.modules () |> Seq.exists (fun m -> box m :? IMixedPrecision) then entry.Name ]

let private build name = Classifiers.Create(name, 3, ModelsTests.shapeOf name, ModelOptions(Seed = Nullable 4))

/// Logits of a batch and all gradients after one training pass.
let private pass (precision: string) name =
    use model = build name
    ProductPrecision.Apply(precision, model)
    torch.manual_seed 5L |> ignore
    let shape = ModelsTests.shapeOf name
    let x = torch.randn (6L, shape.Channels, shape.Rows, shape.Frames)
    let logits = model.call x
    torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.eye(6L, 3L)).backward()
    let gradients = [ for struct (key, p) in model.named_parameters () do match p.grad with null -> () | g -> key, g.dtype, numbers g ]
    let buffers = [ for struct (key, tensor) in StateDictionary.Of model -> key, tensor.dtype ]
    logits.dtype, numbers logits, gradients, buffers

let private norm (values: float seq) = sqrt (values |> Seq.sumBy (fun v -> v * v))

let tests =
    testSequencedGroup "torch"
    <| testList "Precision" [
        test "the convolutional families have a bf16 form" {
            for name in [ "tf_efficientnet_tiny"; "tsresnet_tiny" ] do Expect.contains names name "names"
        }
        for name in names do
            torchTest $"{name} in bf16 gives fp32's logits and gradients within bf16's rounding, in float32, and keeps its weights in float32" (fun () ->
                let _, want, wantGradients, wantTypes = pass "fp32" name
                let dtype, got, gradients, types = pass "bf16" name
                Expect.equal dtype torch.float32 "logits"
                Expect.notEqual got want "products are rounded"
                Expect.isLessThan (norm (Array.map2 (-) got want) / norm want) 0.1 "logits"
                Expect.equal types wantTypes "entries of the state dictionary"
                for _, t, _ in gradients do Expect.equal t torch.float32 "gradients"
                let flat gradients = [| for _, _, (g: float[]) in gradients do yield! g |]
                let a, b = flat gradients, flat wantGradients
                let cosine = Array.fold2 (fun sum x y -> sum + x * y) 0.0 a b / (norm a * norm b)
                Expect.isGreaterThan cosine 0.97 "direction of the whole gradient")
        for name in [ "tf_efficientnet_tiny"; "tsresnet_tiny" ] do
            torchTest $"what runs between the convolutions of {name} stays in bfloat16 until the mean" (fun () ->
                use model = build name
                ProductPrecision.Apply("bf16", model)
                let seen = ResizeArray()
                for m in model.modules () do
                    match m with
                    | :? torch.nn.Module<torch.Tensor, torch.Tensor> as m when m.GetName() = "Convolution" || m.GetName() = "SeriesConvolution" || m.GetName() = "BatchNormAct" ->
                        m.register_forward_hook (fun _ _ y -> seen.Add(m.GetName(), y.dtype); y) |> ignore
                    | _ -> ()
                let shape = ModelsTests.shapeOf name
                model.call (torch.randn (2L, shape.Channels, shape.Rows, shape.Frames)) |> ignore
                Expect.isGreaterThan seen.Count 6 "modules"
                for m, dtype in seen do Expect.equal dtype torch.bfloat16 m)
        torchTest "a trial of both precisions leaves weights, running statistics, mode and random state as they were, and says what it found" (fun () ->
            use model = build "tsresnet_tiny"
            model.eval ()
            let before = TrainingTests.bits model
            torch.manual_seed 9L |> ignore
            let want = numbers (torch.rand 4L)
            torch.manual_seed 9L |> ignore
            let choice = PrecisionTrial.Measure(model, 4)
            Expect.equal (numbers (torch.rand 4L)) want "random state"
            Expect.equal (TrainingTests.bits model) before "weights and buffers"
            Expect.isFalse model.training "mode"
            Expect.stringContains choice.Why "times as fast" "why"
            Expect.contains ProductPrecision.Names choice.Taken "taken"
            for p in model.parameters () do Expect.isNull p.grad "gradients")
        torchTest "on a processor without bf16 instructions auto takes fp32 and says so" (fun () ->
            use model = build "tsresnet_tiny"
            let choice = PrecisionTrial.Choose(model, 4)
            if BirdResearch.Kernels.Processor.Bfloat16.Count = 0 then
                Expect.equal (choice.Taken, choice.Why) ("fp32", "the processor has no bf16 instructions") "choice"
            else Expect.stringContains choice.Why "times as fast" "measured")
        test "the processor's bf16 instructions are those that Linux lists" {
            if not (IO.File.Exists "/proc/cpuinfo") then skiptest "there is no /proc/cpuinfo here"
            let line = IO.File.ReadLines "/proc/cpuinfo" |> Seq.tryFind (fun l -> l.StartsWith "flags")
            let flags = match line with Some l -> l.Split(' ') |> Set.ofArray | None -> skiptest "the processor lists no flags"
            let want = [ for name in [ "avx512_bf16"; "amx_bf16" ] do if flags.Contains name then name ]
            Expect.equal (List.ofSeq BirdResearch.Kernels.Processor.Bfloat16) want "instructions"
        }
    ]
