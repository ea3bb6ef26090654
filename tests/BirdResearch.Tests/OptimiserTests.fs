module BirdResearch.Tests.OptimiserTests

open System
open System.Linq
open Expecto
open TorchSharp
open TorchSharp.Modules
open BirdResearch.Experiments
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private shape = InputShape(1L, 32L, 64L)

let private tinyNames = [ for entry in Classifiers.All do if entry.IsTest then entry.Name ]

/// A parameter and what the optimiser is told of it.
let private ruled =
    [ "plain", [ 300L; 250L ], ParameterRule(), 0.02, 0.1
      "no decay", [ 41L; 3L ], ParameterRule(IsDecayed = false), 0.02, 0.0
      "slower", [ 7L; 9L ], ParameterRule(LearningRateFactor = 0.25), 0.005, 0.1
      "limited", [ 65L ], ParameterRule(HighestLearningRate = Nullable 0.001), 0.001, 0.1
      "faster, limited", [ 5L; 2L; 3L ], ParameterRule(LearningRateFactor = 4.0, HighestLearningRate = Nullable 0.03, IsDecayed = false), 0.03, 0.0 ]

/// Parameters after some steps, stepped by AdamW in one pass and by torch's composed operations, one optimiser per rule.
let private bothWays clip =
    let steps, rate, decay = 12, 0.02, 0.1
    torch.manual_seed 5L |> ignore
    let start = [ for _, shape, _, _, _ in ruled -> torch.randn (Array.ofList shape) ]
    let gradients = [ for _ in 1..steps -> [ for p in start -> torch.randn_like p ] ]
    let parameters () = [ for p in start -> new Parameter(p.clone ()) ]

    let fast = parameters ()
    let rules = ruled |> List.map (fun (name, _, rule, _, _) -> name, rule) |> dict
    let named = List.map2 (fun (name, _, _, _, _) p -> struct (name, p)) ruled fast
    let optimiser = AdamW(named, decay, (fun name _ -> rules[name]), Beta1 = 0.8, Beta2 = 0.95)
    for step in gradients do
        List.iter2 (fun (p: Parameter) (g: torch.Tensor) -> p.grad <- g.clone ()) fast step
        optimiser.Step(rate, clip) |> ignore

    let plain = parameters ()
    let composed =
        [ for (_, _, _, rate, decay), p in List.zip ruled plain ->
            torch.optim.AdamW([ p ], lr = rate, beta1 = 0.8, beta2 = 0.95, weight_decay = decay) ]
    for step in gradients do
        List.iter2 (fun (p: Parameter) (g: torch.Tensor) -> p.grad <- g.clone ()) plain step
        if clip > 0.0 then torch.nn.utils.clip_grad_norm_(plain, clip) |> ignore
        for one in composed do one.step () |> ignore
    List.zip3 [ for name, _, _, _, _ in ruled -> name ] fast plain

/// Two dense layers over all features of a clip.
type private DenseClassifier() as this =
    inherit Classifier("dense_pair", 5, shape)
    let first = new Dense(shape.Rows * shape.Frames, 48L)
    let last = new Dense(48L, 5L)
    do
        this.register_module("first", first)
        this.register_module("last", last)
    override _.HeadKey = "last"
    override _.forward(x: torch.Tensor) = last.call(torch.nn.functional.silu(first.call(x.flatten 1L)))

/// Logits before training and losses over some steps on one batch.
let private trained (precision: string) (make: unit -> Classifier) =
    torch.manual_seed 3L |> ignore
    use model = make ()
    ProductPrecision.Apply(precision, model)
    let x =
        if model.Input.Rows = 1L then ModelsTests.featuresOf model.ModelName 10
        else torch.randn(10L, 1L, model.Input.Rows, model.Input.Frames)
    let y = torch.arange(10L).remainder(torch.tensor 5L)
    let optimiser = ParameterRules.Optimiser(model, TrainingSettings(Precision = precision))
    let untrained = numbers (model.call x)
    let losses =
        [ for _ in 1..45 ->
            use _ = torch.NewDisposeScope()
            let loss = torch.nn.functional.cross_entropy(model.call x, y)
            loss.backward ()
            optimiser.Step(1e-3, 5.0) |> ignore
            for struct (key, p) in model.named_parameters () do
                Expect.equal p.dtype torch.ScalarType.Float32 $"{key} keeps its precision"
            loss.item<float32> () ]
    untrained, losses

let private mixedModels: (string * (unit -> Classifier)) list =
    [ "two dense layers", (fun () -> new DenseClassifier())
      for name in tinyNames do
          use model = Classifiers.Create(name, 5, ModelsTests.shapeOf name)
          if model.modules().OfType<IMixedPrecision>().Any() then
              name, (fun () -> Classifiers.Create(name, 5, ModelsTests.shapeOf name)) ]

let private create name = Classifiers.Create(name, 5, ModelsTests.shapeOf name, ModelOptions(Seed = Nullable 1))

let private factors (settings: TrainingSettings) (model: Classifier) =
    [ for struct (key, p) in model.named_parameters () -> key, ParameterRules.Of(model, settings, key, p).LearningRateFactor ]

let private trial setting = TrialSettings.Set(Trial(), setting)

let tests =
    testSequencedGroup "torch"
    <| testList "Optimiser" [
        for clip in [ 0.0; 1.0 ] do
            torchTest $"AdamW with a rule per parameter, clipped at {clip}, agrees with torch's own" (fun () ->
                for name, fast, plain in bothWays clip do
                    Expect.isLessThan (widest (numbers fast) (numbers plain)) 3e-6 name)

        torchTest "without rules only parameters of two dimensions or more are decayed" (fun () ->
            let stepped (values: torch.Tensor) =
                let p = new Parameter(values)
                p.grad <- torch.zeros_like p
                AdamW([ struct ("p", p) ], 0.5).Step 0.1 |> ignore
                numbers p
            Expect.allEqual (stepped (torch.ones (3L, 2L))) (float (0.95f)) "decayed"
            Expect.allEqual (stepped (torch.ones 6L)) 1.0 "left alone")

        for name in tinyNames do
            torchTest $"{name} under the default settings has every parameter at the full rate, decayed as the model says" (fun () ->
                use model = create name
                for struct (key, p) in model.named_parameters () do
                    let rule = ParameterRules.Of(model, TrainingSettings(), key, p)
                    Expect.equal rule.LearningRateFactor 1.0 key
                    Expect.equal rule.IsDecayed (model.IsDecayed(key, p)) key
                    Expect.equal rule.HighestLearningRate (model.LearningRateLimitOf key) key)

            torchTest $"{name} has a depth for every parameter, each depth is used, and the head is the last" (fun () ->
                use model = create name
                let depths = [ for struct (key, _) in model.named_parameters () -> key, model.DepthOf key ]
                Expect.equal (depths |> List.map snd |> List.distinct |> List.sort) [ 0 .. model.Depths - 1 ] "depths"
                let head = depths |> List.filter (fst >> model.IsHead)
                Expect.isNonEmpty head "parameters of the head"
                Expect.all head (fun (_, depth) -> depth = model.Depths - 1) "depth of the head")

        torchTest "layer-wise decay falls by its factor from the head to the stem, as in timm" (fun () ->
            use model = Classifiers.Create("tf_efficientnet_b0", 5, shape)
            let factors = factors (TrainingSettings(LayerDecay = 0.5, HeadLearningRateFactor = 3.0)) model |> dict
            // timm's param_groups_layer_decay gives this model 18 groups: stem, 16 blocks, classifier; conv_head and bn2 go with the last block.
            for key, depth in
                [ "classifier.weight", 0; "bn2.weight", 1; "conv_head.weight", 1; "blocks.6.0.conv_pwl.weight", 1
                  "blocks.5.3.conv_pw.weight", 2; "blocks.1.0.conv_dw.weight", 15; "blocks.0.0.conv_dw.weight", 16
                  "bn1.weight", 17; "conv_stem.weight", 17 ] do
                let head = if depth = 0 then 3.0 else 1.0
                Expect.equal factors[key] (head * 0.5 ** float depth) key)

        torchTest "a step has the same bits on one thread as on several" (fun () ->
            let stepped threads =
                let before = torch.get_num_threads ()
                torch.set_num_threads threads
                try
                    [ for _, fast, _ in bothWays 1.0 -> numbers fast ]
                finally
                    torch.set_num_threads before
            Expect.equal (stepped 3) (stepped 1) "parameters")

        torchTest "a dense layer in bf16 gives a rounded product of rounded factors, and a gradient in float32" (fun () ->
            torch.manual_seed 2L |> ignore
            let dense = new Dense(64L, 8L, Bfloat16 = true)
            let x = torch.randn(6L, 64L).requires_grad_()
            let y = dense.call x
            let rounded (t: torch.Tensor) = t.detach().``to``(torch.bfloat16).``to``(torch.float64)
            let product = torch.matmul(rounded x, (rounded dense.Weight).t())
            let want = product.``to``(torch.bfloat16).``to``(torch.float64) + (nonNull dense.Bias).``to``(torch.float64)
            // The sum over 64 products may fall on either side of a rounding boundary.
            Expect.isLessThan (widest (numbers y) (numbers want)) (2.0 ** -7.0 * Array.max (Array.map abs (numbers product))) "within one step of bf16"
            let inner = dense.Product(x).detach()
            Expect.equal (numbers inner) (numbers (inner.``to`` torch.bfloat16)) "the product is a bf16 number"
            y.sum().backward ()
            Expect.equal (nonNull dense.Weight.grad).dtype torch.ScalarType.Float32 "gradient of the weight"
            Expect.equal (nonNull x.grad).dtype torch.ScalarType.Float32 "gradient of the input")

        for name, make in mixedModels do
            torchTest $"{name} in bf16 differs from float32 by about bf16's step, and learns nearly as well" (fun () ->
                let plain, plainLosses = trained "fp32" make
                let mixed, mixedLosses = trained "bf16" make
                let size = plain |> Array.map abs |> Array.max
                let off = widest plain mixed / size
                Expect.isGreaterThan off 1e-4 "products were taken in bf16"
                // Batch norms over the few pixels of a small batch enlarge the rounding of what they divide.
                let normsBatches = (use model = make () in model.named_buffers () |> Seq.exists (fun struct (key, _) -> key.EndsWith "running_var"))
                Expect.isLessThan off (if normsBatches then 0.12 else 5e-2) "and are close"
                Expect.isLessThan (List.last plainLosses) (plainLosses.Head / 2.0f) "float32 learns"
                Expect.isLessThan (abs (List.last mixedLosses - List.last plainLosses)) (0.1f * plainLosses.Head) $"losses {List.last plainLosses}, {List.last mixedLosses}")

        torchTest "bf16 is set and taken back on every module, and refused by a model without a product to take in it" (fun () ->
            use model = new DenseClassifier()
            let flags () = [ for m in model.modules().OfType<IMixedPrecision>() -> m.Bfloat16 ]
            ProductPrecision.Apply("bf16", model)
            Expect.equal (flags ()) [ true; true ] "set"
            ProductPrecision.Apply("fp32", model)
            Expect.equal (flags ()) [ false; false ] "taken back"
            use plain = torch.nn.ReLU()
            Expect.stringContains (messageOf (fun () -> ProductPrecision.Apply("bf16", plain))) "has no bf16 form yet" "message")

        for setting, message in
            [ "training.layer_decay=0", "training.layer_decay is 0; it must be above 0 and at most 1"
              "training.layer_decay=1.5", "training.layer_decay is 1.5"
              "training.head_learning_rate_factor=-1", "training.head_learning_rate_factor is -1"
              "training.beta1=1", "training.beta1 is 1"
              "training.beta2=-0.1", "training.beta2 is -0.1"
              "training.precision=fp16", "training.precision is 'fp16'; it must be fp32 or bf16" ] do
            test $"{setting} is refused by that name" {
                Expect.stringContains (messageOf (fun () -> (trial setting).Training.Check())) message ""
            }

        test "a setting of the optimiser is set by its path" {
            Expect.equal (trial "training.layer_decay=0.75").Training.LayerDecay 0.75 "layer_decay"
            Expect.equal (trial "precision=bf16").Training.Precision "bf16" "precision"
        }
    ]
