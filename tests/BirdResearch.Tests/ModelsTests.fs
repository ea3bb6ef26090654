module BirdResearch.Tests.ModelsTests

open System
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Models

let private shape = InputShape(1L, 32L, 64L)

let private classes = 4

/// What a model of the catalogue is tested on: a small spectrogram, or raw sound where it takes nothing else.
let shapeOf (name: string) = if Classifiers.Named(name).Family = "mamba-raw" then InputShape(1L, 1L, 512L) else shape

let private create name = Classifiers.Create(name, classes, shapeOf name, ModelOptions(Seed = Nullable 1))

/// A fixed batch of features for a model: noise for spectrograms, tones in noise for raw sound.
let featuresOf (name: string) (clips: int) =
    let shape = shapeOf name
    torch.manual_seed 7L |> ignore
    if shape.Rows = 1L then (Tensors.sound clips (int shape.Frames)).mul_(torch.tensor 4.0f).reshape(int64 clips, 1L, 1L, -1L)
    else torch.randn(int64 clips, 1L, shape.Rows, shape.Frames)

let private batch name =
    featuresOf name 8, torch.arange(8L).remainder(torch.tensor (int64 classes))

let private crossEntropy (model: Classifier) (x: torch.Tensor) (y: torch.Tensor) =
    torch.nn.functional.cross_entropy(model.call x, y)

let private step (model: Classifier) (optimiser: torch.optim.Optimizer) x y =
    use _ = torch.NewDisposeScope()
    optimiser.zero_grad ()
    let loss = crossEntropy model x y
    loss.backward ()
    optimiser.step () |> ignore
    loss.item<float32> ()

let private parameter (model: Classifier) (key: string) = nonNull (model.get_parameter key)

let private bitsOf (model: Classifier) =
    [ for struct (key, tensor) in StateDictionary.Of model -> key, tensor.bytes.ToArray() ]

let private eachTiny =
    testList "every tiny model" [
        for entry in Classifiers.All |> Seq.filter _.IsTest do
            let name = entry.Name

            test $"{name} gives one finite logit per clip and class, training or not" {
                use _ = torch.NewDisposeScope()
                use model = create name
                let x, _ = batch name
                for training in [ true; false ] do
                    model.train training
                    let logits = model.call x
                    Expect.equal (List.ofArray logits.shape) [ 8L; int64 classes ] "shape"
                    Expect.isTrue (logits.isfinite().all().item<bool> ()) "finite"
            }
            test $"{name} takes clips of other lengths" {
                use _ = torch.NewDisposeScope()
                use model = create name
                model.eval ()
                for frames in [ model.MinimumFrames; 33L; 100L ] do
                    Expect.equal (List.ofArray (model.call(torch.randn (2L, 1L, (shapeOf name).Rows, frames)).shape)) [ 2L; int64 classes ] $"{frames} frames"
            }
            test $"{name} learns one batch by heart" {
                use _ = torch.NewDisposeScope()
                use model = create name
                use optimiser = torch.optim.AdamW(model.parameters (), lr = 3e-3)
                let x, y = batch name
                let losses = [ for _ in 1 .. 60 -> step model optimiser x y ]
                Expect.isLessThan (List.last losses) 0.05f $"from {losses.Head}"
            }
            test $"{name} sends a gradient to every parameter" {
                use _ = torch.NewDisposeScope()
                use model = create name
                let x, y = batch name
                using (torch.no_grad ()) (fun _ ->
                    // A residual block whose last norm starts at zero passes nothing back into its branch until that has moved.
                    for parameter in model.parameters () do
                        if parameter.abs().max().item<float32> () = 0.0f then torch.nn.init.normal_(parameter, 0.0, 0.1) |> ignore)
                (crossEntropy model x y).backward ()
                for struct (key, parameter) in model.named_parameters () do
                    match parameter.grad with
                    | null -> failtest $"{key} has no gradient"
                    | gradient -> Expect.isGreaterThan (gradient.abs().max().item<float32> ()) 0.0f key
            }
            test $"{name} is the same for the same seed and another for another" {
                let build seed = use model = Classifiers.Create(name, classes, shapeOf name, ModelOptions(Seed = Nullable seed)) in bitsOf model
                Expect.equal (build 5) (build 5) "same seed"
                Expect.notEqual (build 5) (build 6) "other seed"
            }
            test $"{name} trained twice from the same seed has the same bits" {
                let train () =
                    use _ = torch.NewDisposeScope()
                    use model = Classifiers.Create(name, classes, shapeOf name, ModelOptions(Seed = Nullable 1, DropRate = 0.2, DropPathRate = 0.2))
                    use optimiser = torch.optim.SGD(model.parameters (), 0.01)
                    let x, y = batch name
                    for _ in 1 .. 3 do
                        step model optimiser x y |> ignore
                    bitsOf model
                Expect.equal (train ()) (train ()) "weights"
            }
            test $"{name} works in float64 and agrees there with float32" {
                use _ = torch.NewDisposeScope()
                use model = create name
                model.eval ()
                let x, _ = batch name
                let narrow = model.call(x).``to`` torch.float64
                model.``to`` torch.float64 |> ignore
                let wide = model.call(x.``to`` torch.float64)
                Expect.equal wide.dtype torch.ScalarType.Float64 "type"
                Expect.isTrue (wide.allclose(narrow, rtol = 1e-4, atol = 1e-5)) "values"
            }
            test $"{name} leaves no tensor behind after a step" {
                use _ = torch.NewDisposeScope()
                use model = create name
                use optimiser = torch.optim.AdamW(model.parameters (), lr = 1e-3)
                let x, y = batch name
                Tensors.settledTensors () |> ignore
                let counts =
                    [ for _ in 1 .. 5 ->
                        step model optimiser x y |> ignore
                        model.eval ()
                        do
                            use _ = torch.NewDisposeScope()
                            use _ = torch.no_grad ()
                            model.call x |> ignore
                        model.train ()
                        torch.Tensor.TotalCount ]
                Tensors.neverRises counts
            }
            test $"{name} runs forward and backward through a storm of garbage collections" {
                use _ = torch.NewDisposeScope()
                use model = Classifiers.Create(name, classes, shapeOf name, ModelOptions(DropRate = 0.1, DropPathRate = 0.1))
                let x, y = batch name
                use over = new CancellationTokenSource()
                let collector = Thread(fun () -> while not over.IsCancellationRequested do GC.Collect(); Thread.Sleep 1)
                collector.Start()
                try
                    for _ in 1 .. 10 do
                        use _ = torch.NewDisposeScope()
                        model.zero_grad ()
                        let loss = crossEntropy model x y
                        loss.backward ()
                        Expect.isTrue (Single.IsFinite(loss.item<float32> ())) "loss"
                finally
                    over.Cancel()
                    collector.Join()
            }
            test $"{name} outlives the scope it was made in" {
                let model =
                    use _ = torch.NewDisposeScope()
                    create name
                use _ = model
                use _ = torch.NewDisposeScope()
                Expect.equal (model.call(fst (batch name)).shape.[0]) 8L "batch"
            }
            test $"{name} counts its multiply-adds without being changed" {
                use model = create name
                model.eval ()
                let before = bitsOf model
                let count = MultiplyAdds.Count(model, shapeOf name)
                let products = [ for struct (_, p) in model.named_parameters () do if p.dim () > 1 then p.numel () ] |> List.sum
                Expect.isGreaterThanOrEqual count products "every weight of a product is used at least once"
                Expect.equal (MultiplyAdds.Count(model, shapeOf name)) count "counted again"
                Expect.equal (bitsOf model) before "state"
                Expect.isFalse model.training "mode"
            } ]

let private efficientNet =
    testList "EfficientNet" [
        // timm's own counts: K = 1000 and 182, 3 channels and 1.
        for name, counts in
            [ "tf_efficientnet_b0", [ 5288548L; 4240690L; 5287972L; 4240114L ]
              "tf_efficientnet_b4", [ 19341616L; 17874942L; 19340752L; 17874078L ] ] do
            test $"{name} has timm's number of parameters for every channel and class count" {
                let counted =
                    [ for channels in [ 3L; 1L ] do
                        for k in [ 1000; 182 ] do
                            use model = Classifiers.Create(name, k, InputShape(channels, 128L, 320L))
                            model.ParameterCount ]
                Expect.equal counted counts "parameters"
            }
        for name, count in [ "tf_efficientnet_b1", 7794184L; "tf_efficientnet_b2", 9109994L; "tf_efficientnet_b3", 12233232L ] do
            test $"{name} has timm's number of parameters" {
                use model = Classifiers.Create(name, 1000, InputShape(3L, 224L, 224L))
                Expect.equal model.ParameterCount count "parameters"
            }
        // torchvision documents the multiply-adds of the same layers at each model's own size, in 10^9.
        for name, size, giga in
            [ "tf_efficientnet_b0", 224L, 0.386
              "tf_efficientnet_b1", 240L, 0.687
              "tf_efficientnet_b2", 288L, 1.088
              "tf_efficientnet_b3", 300L, 1.827
              "tf_efficientnet_b4", 380L, 4.394 ] do
            test $"{name} at {size} x {size} needs {giga} G multiply-adds" {
                let input = InputShape(3L, size, size)
                use model = Classifiers.Create(name, 1000, input)
                Expect.equal (Math.Round(float (MultiplyAdds.Count(model, input)) / 1e9, 3)) giga "GMACs"
            }
        test "untrained weights follow timm's rule" {
            use _ = torch.NewDisposeScope()
            use model = Classifiers.Create("tf_efficientnet_b0", 100, InputShape(1L, 128L, 320L), ModelOptions(Seed = Nullable 3))
            let std (key: string) = (parameter model key).std().item<float32> () |> float
            Expect.floatClose { absolute = 0.002; relative = 0.03 } (std "conv_head.weight") (sqrt (2.0 / 1280.0)) "pointwise: fan_out 1280"
            Expect.floatClose { absolute = 0.002; relative = 0.03 } (std "blocks.5.1.conv_dw.weight") (sqrt (2.0 / 25.0)) "depthwise: fan_out 25"
            let classifier = (parameter model "classifier.weight").abs().max().item<float32> ()
            Expect.isTrue (classifier <= 0.1f && classifier > 0.099f) "classifier: uniform within 1 / sqrt(100)"
            Expect.equal ((parameter model "classifier.bias").abs().max().item<float32> ()) 0.0f "its bias"
        }
        test "drop path grows by index over count, from zero" {
            use model = Classifiers.Create("tf_efficientnet_b0", 10, InputShape(1L, 64L, 64L), ModelOptions(DropPathRate = 0.2))
            let rates =
                [ for struct (_, m) in model.named_modules () do
                    match m with
                    | :? DepthwiseSeparable as block -> block.DropPath.Rate
                    | :? InvertedResidual as block -> block.DropPath.Rate
                    | _ -> () ]
            Expect.hasLength rates 16 "blocks"
            List.iteri (fun i rate -> Expect.floatClose Accuracy.high rate (0.2 * float i / 16.0) $"block {i}") rates
        }
        test "features with other channels are refused with both shapes" {
            use model = create "tf_efficientnet_tiny"
            use x = torch.zeros (2L, 3L, 32L, 64L)
            Expect.throwsC (fun () -> model.call x |> ignore) (fun e ->
                for part in [ "tf_efficientnet_tiny"; "(batch, 1, rows, frames)"; "(2, 3, 32, 64)" ] do
                    Expect.stringContains e.Message part "message")
        } ]

/// Multiply-adds of a time-series ResNet, from its plan.
let private seriesMultiplyAdds rows frames classes (depths: int list) (widths: int64 list) bottleneck stemKernel kernel =
    let half t = (t + 1L) / 2L
    let blocks = [ for depth, (stage, width) in List.zip depths (List.indexed widths) do for i in 0 .. depth - 1 -> stage, i, width ]
    let stem = half frames * widths.Head * rows * stemKernel
    let (total, input, _) =
        ((stem, widths.Head, half frames), blocks)
        ||> List.fold (fun (sum, input, t) (stage, i, width) ->
            let after = if stage > 0 && i = 0 then half t else t
            let output = if bottleneck then 4L * width else width
            let branch =
                if bottleneck then t * input * width + after * width * width * kernel + after * width * output
                else after * input * width * kernel + after * width * width * kernel
            let shortcut = if input <> output || after <> t then after * input * output else 0L
            sum + branch + shortcut, output, after)
    total + input * classes

let private series =
    testList "time-series ResNet" [
        for name, depths, widths, bottleneck, stemKernel, kernel in
            [ "tsresnet18", [ 2; 2; 2; 2 ], [ 64L; 128L; 256L; 512L ], false, 7L, 3L
              "tsresnet34", [ 3; 4; 6; 3 ], [ 64L; 128L; 256L; 512L ], false, 7L, 5L
              "tsresnet50", [ 3; 4; 6; 3 ], [ 64L; 128L; 256L; 512L ], true, 7L, 3L ] do
            test $"{name} needs exactly the multiply-adds of its plan, for mel and for expanded features" {
                for rows, frames in [ 128L, 320L; 194L, 313L; 1024L, 157L ] do
                    let input = InputShape(1L, rows, frames)
                    use model = Classifiers.Create(name, 182, input)
                    Expect.equal
                        (MultiplyAdds.Count(model, input))
                        (seriesMultiplyAdds rows frames 182L depths widths bottleneck stemKernel kernel)
                        $"{rows} x {frames}"
            }
        test "tsresnet34 is the size of the user's network: 12 M parameters, 48 MB" {
            use model = Classifiers.Create("tsresnet34", 182, InputShape(1L, 128L, 320L))
            Expect.equal model.ParameterCount 12054326L "parameters"
            Expect.floatClose Accuracy.low (float model.ParameterCount * 4.0 / 1e6) 48.2 "MB in float32"
        }
        test "the first kernel spans every row of every channel" {
            use model = Classifiers.Create("tsresnet_tiny", 4, InputShape(3L, 20L, 64L))
            Expect.equal (List.ofArray ((parameter model "conv1.weight").shape)) [ 16L; 60L; 5L ] "(out, channels x rows, window)"
        }
        test "too few frames and other rows are refused with the number" {
            use model = create "tsresnet_tiny"
            Expect.equal model.MinimumFrames 4L "minimum"
            use short = torch.zeros (2L, 1L, 32L, 3L)
            Expect.throwsC (fun () -> model.call short |> ignore) (fun e -> Expect.stringContains e.Message "at least 4 frames" "frames")
            use tall = torch.zeros (2L, 1L, 33L, 64L)
            Expect.throwsC (fun () -> model.call tall |> ignore) (fun e -> Expect.stringContains e.Message "built for 32 rows, but the features have 33" "rows")
        } ]

let private catalogue =
    testList "catalogue" [
        test "names are unique and every family has tiny members" {
            Expect.equal (Classifiers.All |> Seq.distinctBy _.Name |> Seq.length) Classifiers.All.Count "names"
            for family, members in Classifiers.All |> Seq.groupBy _.Family do
                let tiny = members |> Seq.filter _.IsTest |> Seq.map _.Name |> List.ofSeq
                Expect.isNonEmpty tiny family
                for name in tiny do
                    Expect.stringEnds name "_tiny" family
        }
        test "an unknown model is refused with near names" {
            Expect.throwsC (fun () -> Classifiers.Create("efficientnet_b4", 2, shape) |> ignore) (fun e ->
                Expect.stringContains e.Message "'efficientnet_b4'" "the name"
                Expect.stringContains e.Message "tf_efficientnet_b4" "a near one")
        }
        test "impossible sizes and rates are refused" {
            for make in
                [ fun () -> Classifiers.Create("tsresnet_tiny", 0, shape)
                  fun () -> Classifiers.Create("tsresnet_tiny", 2, InputShape(1L, 0L, 64L))
                  fun () -> Classifiers.Create("tsresnet_tiny", 2, shape, ModelOptions(DropRate = 1.0))
                  fun () -> Classifiers.Create("tsresnet_tiny", 2, shape, ModelOptions(DropPathRate = -0.1))
                  fun () -> Classifiers.Create("tsresnet_tiny", 2, shape, ModelOptions(DropRate = nan)) ] do
                Expect.throwsT<ArgumentException> (fun () -> make () |> ignore) "refused"
        }
        test "drop path keeps whole samples and their mean" {
            use _ = torch.NewDisposeScope()
            torch.manual_seed 1L |> ignore
            let kept = DropPath(0.25).Apply(torch.ones (4000L, 2L, 3L), true)
            Expect.equal (kept.std([| 1L; 2L |]).max().item<float32> ()) 0.0f "a sample is dropped or kept as a whole"
            Expect.equal (kept.max().item<float32> ()) (1.0f / 0.75f) "kept samples are divided by the chance to be kept"
            Expect.floatClose { absolute = 0.05; relative = 0.0 } (kept.mean().item<float32> () |> float) 1.0 "mean"
            let x = torch.ones (3L)
            Expect.isTrue (obj.ReferenceEquals(DropPath(0.25).Apply(x, false), x)) "nothing is dropped outside training"
        } ]

let tests = testSequencedGroup "torch" (testList "Models" [ eachTiny; efficientNet; series; catalogue ])
