module BirdResearch.Tests.ResumeTests

open System
open System.IO
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Training

let private plain = TrainingSettings(Budget = Budget.OfEpochs 4, BatchSize = 4, WindowSeconds = 2.0, LearningRate = 2e-3, EvaluationWindows = 1, EvaluateEvery = 1)

let private modes =
    let ema, best, patient = EmaSettings(Decay = 0.95), StoppingSettings(Keep = "best"), StoppingSettings(Patience = 1, MinimumChange = 0.02, Metric = "focal_loss")
    [ "averaged weights", TrainingSettings(Budget = Budget.OfEpochs 4, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 2, Ema = ema)
      "the best epoch kept", TrainingSettings(Budget = Budget.OfEpochs 4, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, Stopping = best)
      "early stop", TrainingSettings(Budget = Budget.OfEpochs 6, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, LearningRate = 0.02, Stopping = patient)
      "weights averaged alike", TrainingSettings(Budget = Budget.OfEpochs 4, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1, Swa = SwaSettings(Share = 0.6, Windows = 4))
      "sharpness", TrainingSettings(Budget = Budget.OfEpochs 2, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1, Sharpness = SharpnessSettings(Rho = 0.05))
      "accumulation", TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 2, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, Accumulate = 3)
      "bf16", TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, Precision = "bf16")
      "precision chosen", TrainingSettings(Budget = Budget.OfEpochs 2, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, Precision = "auto")
      "focal loss", TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, Loss = "focal", LabelSmoothing = 0.1)
      "asymmetric loss", TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, Loss = "asymmetric")
      "all of them",
      TrainingSettings(
          Budget = Budget.OfEpochs 5, BatchSize = 2, WindowSeconds = 2.0, EvaluateEvery = 2, Accumulate = 2, Precision = "bf16", Loss = "asymmetric", Ema = ema,
          Stopping = StoppingSettings(Keep = "best", Patience = 3, Metric = "focal_auc")) ]

let private outcome (trainer: Trainer) model =
    TrainingTests.bits model,
    [ for r in trainer.Rows -> r.Epoch, r.LearningRate, r.TrainLoss, r.TrainMap, r.FocalLoss, r.FocalMap, r.FocalAuc ],
    trainer.Kept, trainer.Precision, trainer.Steps

let private file name = Scratch.path $"resume-{name}.safetensors"

/// Trains until the epoch has ended, then stops.
let private stopAfter epoch (trainer: Trainer) checkpoint =
    use source = new CancellationTokenSource()
    let listen = { new IProgress<TrainingProgress> with member _.Report p = TrainingTests.afterEpoch (fun r -> if r.Epoch = epoch then source.Cancel()) p }
    try trainer.Run(checkpoint, listen, source.Token) with :? OperationCanceledException -> ()

let tests =
    testSequencedGroup "torch"
    <| testList "Resume" [
        for name, settings in modes do
            test $"training with {name} goes on to the same bits after a stop at its first or last epoch" {
                use _ = torch.NewDisposeScope()
                let whole, wholeModel = TrainingTests.trainer settings 6
                whole.Run()
                for stop in List.distinct [ 1; (if name = "all of them" then 3 else 1); whole.Rows.Count ] do
                    let checkpoint = file $"{name}-{stop}"
                    let stopped, _ = TrainingTests.trainer settings 6
                    stopAfter stop stopped checkpoint
                    Expect.equal stopped.Rows.Count stop "stopped there"
                    let resumed, model = TrainingTests.trainer settings 6
                    resumed.Run checkpoint
                    Expect.equal (outcome resumed model) (outcome whole wholeModel) $"after stopping at epoch {stop}"
            }
        test "early stop ends before the planned epochs in these tests" {
            use _ = torch.NewDisposeScope()
            let trainer, _ = TrainingTests.trainer (modes |> List.find (fst >> (=) "early stop") |> snd) 6
            trainer.Run()
            Expect.isLessThan trainer.Rows.Count 6 "epochs"
        }
        test "a chosen precision is that of the first sitting, whatever a trial would say now" {
            use _ = torch.NewDisposeScope()
            let checkpoint = file "chosen"
            let first, _ = TrainingTests.trainer (TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, Precision = "bf16")) 6
            stopAfter 1 first checkpoint
            let second, _ = TrainingTests.trainer (TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, Precision = "auto")) 6
            second.Run checkpoint
            Expect.equal second.Precision.Taken "bf16" "taken from the checkpoint"
        }
        test "a checkpoint without the averaged weights that are asked for is named, not passed over" {
            use _ = torch.NewDisposeScope()
            let checkpoint = file "no-average"
            let first, _ = TrainingTests.trainer plain 6
            stopAfter 1 first checkpoint
            let second, _ = TrainingTests.trainer (TrainingSettings(Budget = Budget.OfEpochs 4, BatchSize = 4, WindowSeconds = 2.0, Ema = EmaSettings(Decay = 0.9))) 6
            let message = try second.Run checkpoint; "" with :? InvalidDataException as e -> e.Message
            Expect.stringContains message "no average" "what is missing"
        }
    ]
