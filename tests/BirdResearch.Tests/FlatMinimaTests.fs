/// Sharpness-aware steps and equally averaged weights, against their formulas.
module BirdResearch.Tests.FlatMinimaTests

open System
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private loss = lazy (Loss.Named("bce", Labelling.MultiLabel))

let private create (name: string) =
    Classifiers.Create(name, 3, ModelsTests.shapeOf name, ModelOptions(Seed = Nullable 1, DropRate = 0.2, DropPathRate = 0.1))

let private parameters (model: Classifier) = [ for p in model.parameters () do if p.requires_grad then p ]

let private gradients (model: Classifier) = [ for p in parameters model -> match p.grad with null -> [||] | g -> numbers g ]

let private buffers (model: Classifier) = [ for struct (key, b) in model.named_buffers () -> key, b.bytes.ToArray() ]

let private labels (count: int) = torch.eye(int64 count, 3L)

let private forward (model: Classifier) (x: torch.Tensor) = Func<_>(fun () -> loss.Value.Sum(model.call x, labels (int x.shape[0])))

/// Loss, gradient and buffers by the paper's two equations, one parameter at a time, in float64.
let private plainly (name: string) (x: torch.Tensor) (rho: float) adaptive =
    use model = create name
    let backward () =
        torch.manual_seed 5L |> ignore
        let struct (sum, _) = (forward model x).Invoke()
        sum.backward ()
        sum.item<float32> ()
    let value = backward ()
    let first, moved = gradients model, buffers model
    let starts = [ for p in parameters model -> numbers p ]
    let size w = if adaptive then abs w + 0.01 else 1.0
    let norm = sqrt (List.map2 (fun g w -> if Array.isEmpty g then 0.0 else Array.map2 (fun g w -> (size w * g) ** 2.0) g w |> Array.sum) first starts |> List.sum)
    (use _ = torch.no_grad ()
     for p, g, w in List.zip3 (parameters model) first starts do
         if g.Length > 0 then
             p.copy_ ((shaped (List.ofArray p.shape) (Array.map2 (fun g w -> float32 (w + rho * size w ** 2.0 * g / norm)) g w))) |> ignore
         p.grad <- null)
    backward () |> ignore
    value, gradients model, moved

let private tested = [ "tsresnet_tiny"; "mamba_tiny"; "tf_efficientnet_tiny" ]

let private run (settings: TrainingSettings) =
    let trainer, model = TrainingTests.trainer settings 3
    trainer.Run()
    trainer, model

let private swa = SwaSettings(Share = 0.5, Windows = 6)

let tests =
    testSequencedGroup "torch"
    <| testList "Flat minima" [
        for name in tested do
            for adaptive, rho in [ false, 0.05; true, 1.0 ] do
                torchTest $"{name} gets the gradient of the sharpest neighbour, adaptive {adaptive}, and keeps weights and running statistics" (fun () ->
                    let x = ModelsTests.featuresOf name 3
                    let value, want, moved = plainly name x rho adaptive
                    use model = create name
                    let before = [ for p in parameters model -> p.bytes.ToArray() ]
                    torch.manual_seed 5L |> ignore
                    let struct (sum, count) = SharpGradient(model, SharpnessSettings(Rho = rho, Adaptive = adaptive)).Backward(forward model x)
                    Expect.equal (float32 sum, count) (value, 9.0) "loss of the first pass"
                    Expect.equal [ for p in parameters model -> p.bytes.ToArray() ] before "weights"
                    Expect.equal (buffers model) moved "running statistics are those of the first pass"
                    let largest = want |> Seq.collect id |> Seq.map abs |> Seq.max
                    for got, want in List.zip (gradients model) want do Expect.isLessThan (widest want got / largest) 2e-3 "gradient"
                    let _, plain, _ = plainly name x 0.0 false
                    Expect.isGreaterThan (List.map2 widest plain want |> List.max |> fun d -> d / largest) 1e-2 "another one than where it stands")
        torchTest "gradients of several batches add up, each at its own neighbour" (fun () ->
            let name = "mamba_tiny"
            let x, y = ModelsTests.featuresOf name 3, (ModelsTests.featuresOf name 3).neg ()
            let after (batches: torch.Tensor list) =
                use model = create name
                model.eval ()
                let sharp = SharpGradient(model, SharpnessSettings(Rho = 0.05))
                for batch in batches do sharp.Backward(forward model batch) |> ignore
                gradients model
            for both, x, y in List.zip3 (after [ x; y ]) (after [ x ]) (after [ y ]) do
                Expect.isLessThan (widest (Array.map2 (+) x y) both) 1e-5 "sum")
        test "a radius too small to move a weight trains to the same bits as none, at twice the price in multiply-adds" {
            use _ = torch.NewDisposeScope()
            let settings budget rho =
                TrainingSettings(Budget = budget, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 2, Sharpness = SharpnessSettings(Rho = rho))
            let two = Budget.OfEpochs 2
            let plain, plainModel = run (settings two 0.0)
            let none, noneModel = run (settings two 1e-30)
            let far, farModel = run (settings two 0.1)
            Expect.equal (TrainingTests.bits noneModel) (TrainingTests.bits plainModel) "weights"
            Expect.equal [ for r in none.Rows -> r.TrainLoss ] [ for r in plain.Rows -> r.TrainLoss ] "losses"
            Expect.notEqual (TrainingTests.bits farModel) (TrainingTests.bits plainModel) "a radius matters"
            Expect.equal far.Rows.Count 2 "epochs"
            let price = float (MultiplyAdds.Count(plainModel, plainModel.Input))
            let clips rho = (fst (run (settings (Budget.OfMultiplyAdds(24.0 * price)) rho))).Rows |> Seq.sumBy _.Clips
            Expect.equal (clips 0.0, clips 0.05) (24L, 12L) "clips"
        }
        torchTest "weights are averaged alike from the last part of the budget on, and before that there is no average" (fun () ->
            use _ = torch.no_grad ()
            use model = create "tsresnet_tiny"
            use average = new WeightAverage(model, SwaSettings(Share = 0.3))
            let state () = [ for struct (key, t) in StateDictionary.Of model do if t.dtype = torch.float32 then key, numbers t ]
            let sums = ResizeArray()
            for step in 1L..10L do
                torch.manual_seed step |> ignore
                for p in model.parameters () do p.add_ (torch.randn_like p) |> ignore
                average.Update(step, float step / 10.0)
                if step > 7L then sums.Add(state ())
                if step = 7L then
                    let before = state ()
                    average.Exchange()
                    Expect.equal (state ()) before "none yet"
            Expect.equal average.Taken 3L "steps taken up"
            average.Exchange()
            for i, (key, values) in List.indexed (state ()) do
                let want = sums |> Seq.map (fun s -> snd (List.item i s)) |> Seq.reduce (Array.map2 (+)) |> Array.map (fun v -> v / 3.0)
                Expect.isLessThan (widest want values) 2e-5 key)
        test "the learning rate stays while weights are averaged, and the statistics kept are those of training windows under the average" {
            use _ = torch.NewDisposeScope()
            let settings swa = TrainingSettings(Budget = Budget.OfEpochs 6, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 6, WarmupShare = 0.0, Swa = swa)
            let plain, _ = run (settings (SwaSettings()))
            let averaged, model = run (settings swa)
            let rates (trainer: Trainer) = [ for r in trainer.Rows -> r.LearningRate ]
            Expect.equal (List.take 3 (rates averaged)) (List.take 3 (rates plain)) "the first half"
            Expect.allEqual (List.skip 3 (rates averaged)) (Schedule.AtShare(1e-3, 0.5, 0.0)) "the second"
            Expect.isTrue averaged.Kept.Averaged "said"
            let norms = [ for m in model.modules () do match box m with :? BatchNormAct as n -> n | _ -> () ]
            let kept = [ for n in norms -> numbers n.Running[0], numbers n.Running[1] ]
            let data = TrainingTests.tinyData.Force()
            use frontEnd = BirdResearch.Features.FrontEnds.Create "mel-64"
            let reader = WindowReader(data, frontEnd.SampleRate, 2.0)
            let sound = TrainingSound.Batches(reader, data, Splits.Of(data, Nullable()), 3, swa.Windows, Threading.CancellationToken.None)
            NormStatistics(model).Estimate(sound, fun x -> frontEnd.forward x) |> ignore
            let again = [ for n in norms -> numbers n.Running[0], numbers n.Running[1] ]
            Expect.equal again kept "estimated again"
        }
        test "live tensors are flat over epochs of sharpness-aware steps and averaged weights" {
            use _ = torch.NewDisposeScope()
            let settings =
                TrainingSettings(Budget = Budget.OfEpochs 5, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1, Swa = swa, Sharpness = SharpnessSettings(Rho = 0.05))
            let trainer, _ = TrainingTests.trainer settings 1
            let counts = ResizeArray()
            let count = { new IProgress<TrainingProgress> with member _.Report p = TrainingTests.afterEpoch (fun _ -> counts.Add (settledTensors ())) p }
            trainer.Run(null, count)
            neverRises counts
        }
        test "settings out of their range are named in the error" {
            for settings, name in
                [ TrainingSettings(Swa = SwaSettings(Share = 1.0)), "training.swa.share"
                  TrainingSettings(Swa = SwaSettings(Windows = 1)), "training.swa.windows"
                  TrainingSettings(Swa = swa, Ema = EmaSettings(Decay = 0.9)), "training.ema.decay"
                  TrainingSettings(Sharpness = SharpnessSettings(Rho = -1.0)), "training.sharpness.rho" ] do
                Expect.stringContains (messageOf (fun () -> settings.Check())) name "the setting's name"
        }
    ]
