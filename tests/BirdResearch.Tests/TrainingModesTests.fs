module BirdResearch.Tests.TrainingModesTests

open System
open System.Linq
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private row epoch (map: float) loss = EpochRow(epoch, 1.0, 8L, 1e-3, loss, Nullable 0.5, Nullable loss, Nullable map, Nullable map)

let private after (settings: StoppingSettings) rows = Stopping.After(settings, rows, fun _ -> true)

/// timm.utils.ModelEmaV3.get_decay with use_warmup, warmup_gamma 1 and warmup_power 2/3, of the number of updates done.
let private timmDecay decay warmup (updates: int) =
    let step = max 0 (updates - 1)
    if step <= 0 then 0.0
    elif warmup then min decay (1.0 - (1.0 + float step) ** (-2.0 / 3.0))
    else decay

let private state (model: Classifier) = [ for struct (key, tensor) in StateDictionary.Of model -> key, tensor ]

let private floats (model: Classifier) = [ for key, t in state model do if t.dtype = torch.float32 then key, numbers t ]

/// A small model with batch norm after one training pass, so that its running statistics move.
let private moved (model: Classifier) seed =
    use _ = torch.NewDisposeScope()
    use _ = torch.no_grad ()
    torch.manual_seed (int64 seed) |> ignore
    for p in model.parameters () do p.add_(torch.randn_like p) |> ignore
    model.train ()
    model.call (torch.randn (4L, 1L, 64L, 32L)) |> ignore

let private tiny name = Classifiers.Create(name, 3, InputShape(1L, 64L, 32L), ModelOptions(Seed = Nullable 1))

/// The gradient that one optimiser step got, read from AdamW's first moment: rows of the parts, one after another.
let private gradientOf (name: string) (loss: Loss) (parts: int list) (accumulate: int) =
    use _ = torch.NewDisposeScope()
    use model = tiny name
    torch.manual_seed 3L |> ignore
    let count = List.sum parts
    let x, labels = torch.randn (int64 count, 1L, 64L, 32L), torch.rand(int64 count, 3L).gt(torch.tensor 0.5f).``to``(torch.float32)
    let weights = torch.rand(int64 count, 3L).gt(torch.tensor 0.3f).``to``(torch.float32)
    let settings = TrainingSettings(Accumulate = accumulate, ClipNorm = 0.0)
    let optimiser = ParameterRules.Optimiser(model, settings)
    let steps = GradientSteps(model, optimiser, settings, null, null, (fun _ -> 1e-3), fun _ -> 0.0)
    let mutable from = 0L
    for part in parts do
        let cut (t: torch.Tensor) = t.narrow (0, from, int64 part)
        let batch, target, counted = cut x, cut labels, cut weights
        steps.Add(fun () -> loss.Sum(model.call batch, target, counted)) |> ignore
        from <- from + int64 part
    steps.Finish()
    optimiser.Steps, [| for struct (_, first, _) in optimiser.Moments do yield! Array.map float first |]

let tests =
    testSequencedGroup "torch"
    <| testList "Training modes" [
        for warmup in [ true; false ] do
            torchTest $"averaged weights follow timm's formula, running statistics too and counters not, warm-up {warmup}" (fun () ->
                use model = tiny "tsresnet_tiny"
                use average = new WeightAverage(model, EmaSettings(Decay = 0.9, Warmup = warmup))
                let want = Collections.Generic.Dictionary(dict [ for key, values in floats model -> key, values ])
                for step in 1..40 do
                    moved model step
                    average.Update step
                    let keep = timmDecay 0.9 warmup step
                    Expect.floatClose Accuracy.high (average.DecayAt step) keep "decay"
                    for key, values in floats model do
                        want[key] <- Array.map2 (fun a m -> keep * a + (1.0 - keep) * m) want[key] values
                let raw, counters = floats model, [ for key, t in state model do if t.dtype = torch.int64 then key, t.item<int64>() ]
                average.Exchange()
                for key, values in floats model do
                    let size = values |> Seq.map abs |> Seq.max
                    Expect.isLessThan (widest values want[key] / size) 2e-6 key
                Expect.equal [ for key, t in state model do if t.dtype = torch.int64 then key, t.item<int64>() ] counters "counters"
                Expect.isNonEmpty counters "there are counters"
                average.Exchange()
                Expect.equal (floats model) raw "exchanged back")
        test "evaluation and the weights that are kept are the averaged ones" {
            use _ = torch.NewDisposeScope()
            let run ema =
                let trainer, model = TrainingTests.trainer (TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1, Ema = ema)) 2
                trainer.Run()
                trainer, model
            let plain, plainModel = run (EmaSettings())
            let averaged, averagedModel = run (EmaSettings(Decay = 0.99))
            Expect.equal [ for r in averaged.Rows -> r.TrainLoss ] [ for r in plain.Rows -> r.TrainLoss ] "training itself is the same"
            Expect.notEqual [ for r in averaged.Rows -> r.FocalLoss ] [ for r in plain.Rows -> r.FocalLoss ] "scores are not"
            Expect.notEqual (TrainingTests.bits averagedModel) (TrainingTests.bits plainModel) "nor are the weights"
            let again = averaged.Evaluate(averaged.SampleOfTraining(), "train")
            Expect.equal (Nullable(BirdResearch.Metrics.Ranking.MeanAveragePrecision again.Scores)) (averaged.Rows.Last().TrainMap) "score of the kept weights"
            Expect.isTrue averaged.Kept.Averaged "said"
        }
        test "training stops when the metric has not improved for as many evaluations as patience, and losses improve downwards" {
            let maps = [ 0.3; 0.5; 0.49; 0.5; 0.505; 0.4 ]
            let rows = maps |> List.mapi (fun i map -> row (i + 1) map (2.0 - map))
            let settings = StoppingSettings(Patience = 3, MinimumChange = 0.01)
            for metric in [ "focal_map"; "focal_auc"; "focal_loss"; "train_loss" ] do
                let at n = after (StoppingSettings(Patience = 3, MinimumChange = 0.01, Metric = metric)) (List.truncate n rows)
                Expect.equal [ for n in 0..6 -> (at n).IsOver ] [ false; false; false; false; false; true; true ] metric
                Expect.equal [ for n in 0..6 -> (at n).BestEpoch ] [ 0; 1; 2; 2; 2; 5; 5 ] metric
            Expect.isFalse (after (StoppingSettings()) rows).IsOver "no patience, no stop"
            Expect.isTrue (after settings [ for i in 1..3 -> EpochRow(i, 1.0, 8L, 1e-3, 1.0, Nullable(), Nullable(), Nullable(), Nullable()) ]).IsOver
                "a metric that is never defined never improves"
        }
        test "the best epoch's weights are the ones kept, and the record says that validation chose them" {
            use _ = torch.NewDisposeScope()
            let settings keep = TrainingSettings(Budget = Budget.OfEpochs 6, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1, LearningRate = 3e-3, Stopping = StoppingSettings(Keep = keep, Metric = "focal_loss"))
            let best, bestModel = TrainingTests.trainer (settings "best") 4
            best.Run()
            let value = best.Rows |> Seq.map (fun r -> r.FocalLoss.Value) |> Seq.min
            Expect.equal best.Kept.Value (Nullable value) "its value"
            Expect.equal (best.Rows[best.Kept.Epoch - 1]).FocalLoss (Nullable value) "its epoch"
            let epochs = best.Kept.Epoch
            use source = new Threading.CancellationTokenSource()
            let stop = { new IProgress<TrainingProgress> with member _.Report p = TrainingTests.afterEpoch (fun r -> if r.Epoch = epochs then source.Cancel()) p }
            let partial, partialModel = TrainingTests.trainer (settings "last") 4
            try partial.Run(null, stop, source.Token) with :? OperationCanceledException -> ()
            Expect.equal (TrainingTests.bits bestModel) (TrainingTests.bits partialModel) "weights as they were after that epoch"
            Expect.stringContains (string best.Kept) $"epoch {epochs} of 6, the best by focal_loss" "in words"
            Expect.isTrue best.Kept.IsChosenByValidation "said"
            let last, _ = TrainingTests.trainer (settings "last") 4
            last.Run()
            Expect.isFalse last.Kept.IsChosenByValidation "the last epoch is not chosen"
            Expect.equal (string last.Kept) "" "and needs no words"
        }
        test "training really ends early" {
            use _ = torch.NewDisposeScope()
            let settings = TrainingSettings(Budget = Budget.OfEpochs 40, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1, Stopping = StoppingSettings(Patience = 2, MinimumChange = 1e3))
            let trainer, _ = TrainingTests.trainer settings 1
            trainer.Run()
            Expect.equal trainer.Rows.Count 3 "one evaluation to compare with, two without improvement"
            Expect.stringContains (string trainer.Kept) "stopped after epoch 3 of 40" "in words"
        }
        for name in [ "mamba_tiny"; "ssamba_test_tiny" ] do
            for lossName in Loss.Names do
                test $"{name} with {lossName} gets the gradient of one large batch from three small ones, uneven and weighted" {
                    let loss = Loss.Named(lossName, Labelling.MultiLabel, 0.1)
                    let steps, small = gradientOf name loss [ 4; 4; 3 ] 3
                    let _, large = gradientOf name loss [ 11 ] 1
                    Expect.equal steps 1L "one step"
                    Expect.isLessThan (widest small large / (large |> Array.map abs |> Array.max)) 1e-5 "largest difference of gradients"
                }
        test "a group that an epoch's end cuts short takes its own mean" {
            let loss = Loss.Named("bce", Labelling.MultiLabel)
            let steps, _ = gradientOf "mamba_tiny" loss [ 2; 2; 2; 2; 3 ] 2
            Expect.equal steps 3L "two whole groups and the rest"
            let _, rest = gradientOf "mamba_tiny" loss [ 3 ] 8
            let _, whole = gradientOf "mamba_tiny" loss [ 3 ] 1
            Expect.equal rest whole "one batch of eight that were planned"
        }
        test "the schedule counts optimiser steps" {
            use _ = torch.NewDisposeScope()
            let run accumulate =
                let trainer, _ = TrainingTests.trainer (TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 2, WindowSeconds = 2.0, EvaluateEvery = 3, Accumulate = accumulate)) 1
                trainer.Run()
                trainer
            let one, four = run 1, run 4
            let batches = int one.Steps / 3
            Expect.equal (int four.Steps) (3 * ((batches + 3) / 4)) "steps"
            let schedule = Schedule(1e-3, four.Steps, 0.1)
            Expect.equal (four.Rows.Last().LearningRate) (schedule.At(four.Steps - 1L)) "last rate"
        }
        test "settings of the modes out of their range are named in the error" {
            for settings, name in
                [ TrainingSettings(Ema = EmaSettings(Decay = 1.0)), "training.ema.decay"
                  TrainingSettings(Stopping = StoppingSettings(Metric = "luck")), "training.stopping.metric"
                  TrainingSettings(Stopping = StoppingSettings(Keep = "first")), "training.stopping.keep"
                  TrainingSettings(Stopping = StoppingSettings(Patience = -1)), "training.stopping.patience"
                  TrainingSettings(Accumulate = 0), "training.accumulate"
                  TrainingSettings(Precision = "fp8"), "training.precision" ] do
                Expect.stringContains (messageOf (fun () -> settings.Check())) name "the setting's name"
        }
    ]
