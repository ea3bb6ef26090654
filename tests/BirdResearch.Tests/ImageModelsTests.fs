/// MobileNetV3, ResNet with bottlenecks, ResNetV2 and ECA-NFNet against published facts.
module BirdResearch.Tests.ImageModelsTests

open System
open System.IO
open Expecto
open TorchSharp
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private create name classes channels = Classifiers.Create(name, classes, InputShape(channels, 64L, 96L), ModelOptions(Seed = Nullable 1))

let private parameter (model: Classifier) (key: string) = nonNull (model.get_parameter key)

let private std (model: Classifier) key = (parameter model key).std().item<float32> () |> float

let private tiny = [ "mobilenetv3_tiny"; "seresnext_tiny"; "resnetv2_tiny"; "eca_nfnet_tiny" ]

/// timm's own counts of trainable parameters: K = 1000 and 182 with 3 channels, then with 1.
let private counts =
    [ "mobilenetv3_large_100", [ 5483032L; 4435174L; 5482744L; 4434886L ]
      "resnetv2_50", [ 25549352L; 23873270L; 25543080L; 23866998L ]
      "resnetv2_101", [ 44541480L; 42865398L; 44535208L; 42859126L ]
      "seresnext101_32x4d", [ 48955416L; 47279334L; 48949144L; 47273062L ]
      "eca_nfnet_l0", [ 24143924L; 22258434L; 24143636L; 22258146L ]
      "eca_nfnet_l2", [ 56722348L; 54208634L; 56722060L; 54208346L ] ]

/// Counts that torchvision documents for the same layers, with 1000 classes and 3 channels; multiply-adds at 224 x 224 in 10^9.
let private documented =
    [ "mobilenetv3_large_100", 5483032L, Some 0.217
      "mobilenetv3_small_100", 2542856L, Some 0.057
      "resnet50", 25557032L, Some 4.089
      "resnet101", 44549160L, Some 7.801
      "resnext50_32x4d", 25028904L, Some 4.230
      "resnext101_32x8d", 88791336L, Some 16.414
      "seresnext50_32x4d", 27559896L, None ]

let private blockRates (model: Classifier) =
    [ for struct (_, m) in model.named_modules () do
        match m with
        | :? DepthwiseSeparable as block -> block.DropPath.Rate
        | :? InvertedResidual as block -> block.DropPath.Rate
        | :? ResNetBottleneck as block -> block.DropPath.Rate
        | :? PreActivationBlock as block -> block.DropPath.Rate
        | :? NfBlock as block -> block.DropPath.Rate
        | _ -> () ]

let private withFile (name: string) (work: string -> unit) =
    let folder = Directory.CreateTempSubdirectory "bird-image-models-"
    try work (Path.Combine(folder.FullName, name)) finally folder.Delete true

let private numbersOfPlan =
    testList "numbers" [
        for name, want in counts do
            test $"{name} has timm's number of parameters for every channel and class count" {
                let counted =
                    [ for channels in [ 3L; 1L ] do
                        for classes in [ 1000; 182 ] do
                            use model = create name classes channels
                            model.ParameterCount ]
                Expect.equal counted want "parameters"
            }
        for name, count, giga in documented do
            test $"{name} has the documented number of parameters and of multiply-adds" {
                let input = InputShape(3L, 224L, 224L)
                use model = Classifiers.Create(name, 1000, input)
                Expect.equal model.ParameterCount count "parameters"
                match giga with
                | Some giga ->
                    Expect.floatClose { absolute = 0.0006; relative = 0.0 } (float (MultiplyAdds.Count(model, input)) / 1e9) giga "GMACs"
                | None -> ()
            }
        test "mobilenetv3_large_100 with the classes of ImageNet-21k has the published size" {
            use model = create "mobilenetv3_large_100" 11221 3L
            Expect.equal model.ParameterCount 18576133L "parameters"
        }
        test "the expected variance of ECA-NFNet gives timm's betas" {
            let betas name =
                use model = create name 2 1L
                [ for struct (_, m) in model.named_modules () do match m with :? NfBlock as block -> block.Beta | _ -> () ]
            let close = { absolute = 5e-7; relative = 0.0 }
            let l0 = [ 1.0; 0.980581; 0.980581; 0.962250; 0.980581; 0.962250; 0.944911; 0.928477; 0.912871; 0.898027; 0.980581; 0.962250 ]
            for got, want in List.zip (betas "eca_nfnet_l0") l0 do Expect.floatClose close got want "l0"
            let l2 = betas "eca_nfnet_l2"
            for at, want in [ 0, 1.0; 3, 0.944911; 9, 0.898027; 27, 0.762493 ] do Expect.floatClose close l2[at] want $"l2, block {at}"
        }
    ]

let private rules =
    testList "rules" [
        torchTest "untrained weights follow timm's rules" (fun () ->
            let close = { absolute = 0.0005; relative = 0.04 }
            use mobile = create "mobilenetv3_large_100" 100 1L
            Expect.floatClose close (std mobile "conv_head.weight") (sqrt (2.0 / 1280.0)) "head convolution: fan_out 1280"
            Expect.equal ((parameter mobile "conv_head.bias").abs().max().item<float32> ()) 0.0f "its bias"
            let largest = (parameter mobile "classifier.weight").abs().max().item<float32> ()
            Expect.isTrue (largest <= 0.1f && largest > 0.099f) "classifier: uniform within 1 / sqrt(100)"
            use next = create "seresnext50_32x4d" 10 1L
            Expect.floatClose close (std next "layer4.1.conv2.weight") (sqrt (2.0 / (9.0 * 1024.0))) "grouped: fan_out of all groups"
            Expect.equal ((parameter next "layer1.0.bn3.weight").abs().max().item<float32> ()) 0.0f "a block's last norm"
            use pre = create "resnetv2_50" 100 1L
            Expect.floatClose close (std pre "stages.3.blocks.1.conv2.weight") (sqrt (2.0 / (9.0 * 512.0))) "fan_out"
            Expect.floatClose close (std pre "head.fc.weight") 0.01 "head"
            use free = create "eca_nfnet_l0" 100 1L
            Expect.floatClose close (std free "stages.3.1.conv2.weight") (1.0 / sqrt (9.0 * 64.0)) "fan_in of a group"
            Expect.equal ((parameter free "stages.2.1.conv3.gain").abs().max().item<float32> ()) 0.0f "a branch's last gain"
            Expect.equal ((parameter free "stages.2.1.conv2b.gain").min().item<float32> ()) 1.0f "other gains"
            Expect.floatClose close (std free "head.fc.weight") 0.01 "head")
        for name, blocks, first in [ "mobilenetv3_large_100", 15, 16.0; "seresnext50_32x4d", 16, 15.0; "resnetv2_50", 16, 15.0; "eca_nfnet_l0", 12, 11.0 ] do
            test $"drop path of {name} grows by its family's rule, from zero" {
                use model = Classifiers.Create(name, 10, InputShape(1L, 64L, 64L), ModelOptions(DropPathRate = 0.2))
                let rates = blockRates model
                Expect.hasLength rates blocks "blocks"
                List.iteri (fun i rate -> Expect.floatClose Accuracy.high rate (0.2 * float i / first) $"block {i}") rates
            }
        for name in tiny do
            test $"every parameter of {name} has a depth, in the order of the network" {
                use model = create name 3 1L
                let depths = [ for struct (key, _) in StateDictionary.Of model -> key, model.DepthOf key ]
                Expect.equal (depths |> List.map snd |> List.distinct |> List.sort) [ 0 .. model.Depths - 1 ] "depths"
                Expect.equal (depths |> List.map snd |> List.sort) (depths |> List.map snd) "order"
                Expect.equal (model.DepthOf(nonNull model.StemKey)) 0 "stem"
                Expect.equal (model.DepthOf $"{model.HeadKey}.bias") (model.Depths - 1) "head"
            }
        test "depths stand for the blocks, and what follows the last block goes with it" {
            for name, blocks, tail in
                [ "mobilenetv3_tiny", 12, "conv_head.weight"; "seresnext_tiny", 5, "layer4.0.bn3.bias"; "resnetv2_tiny", 5, "norm.weight"; "eca_nfnet_tiny", 5, "final_conv.gain" ] do
                use model = create name 3 1L
                Expect.equal model.Depths (blocks + 2) name
                Expect.equal (model.DepthOf tail) blocks tail
        }
        test "gains of ECA-NFNet are not decayed, its kernels are" {
            use model = create "eca_nfnet_tiny" 3 1L
            let decayed key = model.IsDecayed(key, parameter model key)
            Expect.equal ([ "stem.conv1.weight"; "stem.conv1.gain"; "stem.conv1.bias"; "head.fc.weight" ] |> List.map decayed) [ true; false; false; true ] "decayed"
        }
        for name in tiny do
            torchTest $"the head of {name} is found by its key, whatever its dimensions" (fun () ->
                use model = create name 3 1L
                let before = numbers (parameter model $"{model.HeadKey}.weight")
                model.ScaleHead 0.25
                Expect.equal (numbers (parameter model $"{model.HeadKey}.weight")) (before |> Array.map (fun w -> w * 0.25)) "scaled"
                Expect.isTrue (model.IsHead $"{model.HeadKey}.bias") "its bias"
                Expect.isFalse (model.IsHead(nonNull model.StemKey)) "the stem")
            torchTest $"weights of {name} for three channels and other classes load into one for one channel" (fun () ->
                withFile "weights.safetensors" (fun path ->
                    use wide = create name 7 3L
                    Weights.Save(wide, path)
                    use narrow = create name 4 1L
                    let head = numbers (parameter narrow $"{narrow.HeadKey}.weight")
                    let report = Weights.Load(narrow, path, WeightFit.Adapt)
                    Expect.equal (List.ofSeq report.Missing |> List.sort) [ $"{narrow.HeadKey}.bias"; $"{narrow.HeadKey}.weight" ] "head left alone"
                    Expect.equal (numbers (parameter narrow $"{narrow.HeadKey}.weight")) head "head's values"
                    Expect.hasLength report.Adapted 1 "adapted"
                    let stem = nonNull narrow.StemKey
                    let want = (parameter wide stem).sum ([| 1L |], true)
                    Expect.isLessThan (widest (numbers want) (numbers (parameter narrow stem))) 1e-6 "the sum over its channels"))
            torchTest $"{name} gives the same in either memory order" (fun () ->
                let logits order =
                    use model = Classifiers.Create(name, 5, InputShape(3L, 33L, 57L), ModelOptions(Seed = Nullable 2, ChannelsLast = order))
                    torch.manual_seed 3L |> ignore
                    let x = torch.randn (4L, 3L, 33L, 57L)
                    let trained = model.call x
                    model.eval ()
                    use _ = torch.no_grad ()
                    Array.append (numbers trained) (numbers (model.call x))
                let want = logits false
                Expect.isLessThan (widest want (logits true) / (want |> Array.map abs |> Array.max)) 2e-4 "logits")
    ]

/// Without a gradient norms, attention and activations overwrite what they read; with one nothing is.
let private evaluation =
    testList "evaluation" [
        for name in "tf_efficientnet_tiny" :: "resnet_tiny" :: tiny do
            torchTest $"{name} gives the same without a gradient as with one, again and again, and leaves its input alone" (fun () ->
                use model = create name 5 1L
                let x = torch.randn (3L, 1L, 37L, 70L)
                for _ in 1 .. 2 do model.call x |> ignore // running statistics that are not the initial ones
                model.eval ()
                let input, want = numbers x, numbers (model.call x)
                use _ = torch.no_grad ()
                for _ in 1 .. 2 do
                    Expect.isLessThan (widest want (numbers (model.call x)) / (want |> Array.map abs |> Array.max)) 2e-5 "logits"
                Expect.equal (numbers x) input "input")
    ]

/// The published formula, step by step, in float64.
let private plainScaled (x: torch.Tensor) (weight: torch.Tensor) (bias: torch.Tensor) (gain: torch.Tensor) scale stride groups =
    let dims = [| 1L; 2L; 3L |]
    let mean = weight.mean (dims, true)
    let variance = ((weight - mean) * (weight - mean)).mean (dims, true)
    let fanIn = float (weight.numel () / weight.shape[0])
    let kernels = gain * torch.tensor (scale * 1.7881293296813965 / sqrt fanIn) * (weight - mean) / (variance + torch.tensor 1e-5).sqrt ()
    let padding = (weight.shape[2] - 1L) / 2L
    torch.nn.functional.conv2d (x, kernels, bias, [| stride; stride |], [| padding; padding |], groups = groups)

let private scaled =
    testList "scaled convolution" [
        for kernel, stride, groups, scale in [ 1L, 1L, 1L, 0.9; 3L, 2L, 1L, 1.0; 3L, 1L, 2L, 1.0 ] do
            torchTest $"with kernel {kernel}, stride {stride} and {groups} groups it gives the formula's result and gradients" (fun () ->
                torch.manual_seed 4L |> ignore
                use layer = new ScaledConvolution(8L, 6L, kernel, stride, groups, scale)
                layer.``to`` torch.float64 |> ignore
                let x = torch.randn (2L, 8L, 5L, 7L, dtype = torch.float64)
                let leaves = [ for struct (name, p) in layer.named_parameters () -> name, p ]
                for _, p in leaves do using (torch.no_grad ()) (fun _ -> p.add_(torch.randn_like p) |> ignore)
                let copies = [ for name, p in leaves -> name, p.detach().clone().requires_grad_ () ]
                let ours = layer.call x
                let of' name = List.find (fun (n, _) -> n = name) copies |> snd
                let want = plainScaled x (of' "weight") (of' "bias") (of' "gain") scale stride groups
                let above = torch.randn_like want
                (ours * above).sum().backward ()
                (want * above).sum().backward ()
                Expect.isLessThan (widest (numbers want) (numbers ours)) 1e-12 "result"
                for (name, p), (_, copy) in List.zip leaves copies do
                    Expect.isLessThan (widest (numbers (nonNull copy.grad)) (numbers (nonNull p.grad))) 1e-11 name)
        torchTest "in bf16 its result is the rounded one, in bfloat16, and its gradients are in float32" (fun () ->
            use model = create "eca_nfnet_tiny" 3 1L
            ProductPrecision.Apply("bf16", model)
            let layer = model.named_modules () |> Seq.pick (fun struct (key, m) -> match m with :? ScaledConvolution as c when key = "stem.conv1" -> Some c | _ -> None)
            Expect.isTrue layer.Bfloat16 "applied"
            let x = torch.randn (2L, 1L, 9L, 11L)
            let rounded = layer.call x
            Expect.equal rounded.dtype torch.bfloat16 "type"
            rounded.sum(``type`` = Nullable torch.float32).backward ()
            for p in layer.parameters () do Expect.equal (nonNull p.grad).dtype torch.float32 "gradient"
            layer.Bfloat16 <- false
            Expect.isLessThan (widest (numbers (layer.call x)) (numbers rounded)) 0.05 "values")
    ]

let tests = testSequencedGroup "torch" (testList "Image models" [ numbersOfPlan; rules; evaluation; scaled ])
