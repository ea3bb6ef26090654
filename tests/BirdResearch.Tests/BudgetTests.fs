module BirdResearch.Tests.BudgetTests

open System
open System.IO
open System.Text.Json
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Models
open BirdResearch.Training

let private settings (budget: Budget) =
    TrainingSettings(Budget = budget, BatchSize = 4, WindowSeconds = 1.0, LearningRate = 2e-3, EvaluationWindows = 1)

let private samples =
    lazy
        (let data = TrainingTests.tinyData.Force()
         Splits.Of(data, Nullable()).Train.Count)

/// What the meter should find, by going through the epochs one after another.
let private walk (samples: int) (clips: int64) (batch: int) (accumulate: int) =
    let rec go left steps epochs =
        let now = min (int64 samples) left
        if now < 2L then steps, epochs
        else
            let batches = [ 0L .. int64 batch .. now - 1L ] |> List.map (fun at -> min (int64 batch) (now - at)) |> List.filter (fun size -> size > 1L)
            go (left - now) (steps + (max 1 batches.Length + accumulate - 1) / accumulate) (epochs + 1)
    go clips 0 0

let tests =
    testList "Budgets" [
        testList "text" [
            test "a budget is read as it is written" {
                for text, unit, amount in
                    [ "20 epochs", BudgetUnit.Epochs, 20.0
                      "1 epoch", BudgetUnit.Epochs, 1.0
                      "5000 clips", BudgetUnit.Clips, 5000.0
                      "90 seconds", BudgetUnit.Seconds, 90.0
                      "0.5 seconds", BudgetUnit.Seconds, 0.5
                      "3e+12 multiply-adds", BudgetUnit.MultiplyAdds, 3e12
                      "2.5e+8 multiply-adds", BudgetUnit.MultiplyAdds, 2.5e8 ] do
                    let budget = Budget.Parse text
                    Expect.equal (budget.Unit, budget.Amount) (unit, amount) text
                    Expect.equal (string budget) text "and back"
                for text, same in
                    [ "90s", "90 seconds"; "2 min", "120 seconds"; "1h", "3600 seconds"; "3e12 macs", "3e+12 multiply-adds"; " 5epochs ", "5 epochs" ] do
                    Expect.equal (string (Budget.Parse text)) same text
            }
            test "what is no budget is an error that shows one" {
                for text in [ "20"; "epochs"; "20 apples"; "-3 epochs"; "0 clips"; "1 clip"; "2.5 epochs"; "1e400 seconds"; "" ] do
                    let message = try Budget.Parse text |> ignore; "" with :? ArgumentException as e -> e.Message
                    Expect.isTrue (message.Contains "budget") $"{text}: {message}"
            }
            test "a run's record holds it as text, and a setting changes it" {
                let trial = TrialSettings.Set(Trial(), "training.budget=90 seconds")
                Expect.equal trial.Training.Budget (Budget.OfSeconds 90.0) "set"
                let json = JsonSerializer.Serialize(trial, RunStore.Json)
                Expect.stringContains json "\"budget\": \"90 seconds\"" "text"
                Expect.equal (nonNull (JsonSerializer.Deserialize<Trial>(json, RunStore.Json))).Training.Budget trial.Training.Budget "back"
                let message = try TrialSettings.Set(Trial(), "training.budget=20") |> ignore; "" with :? ArgumentException as e -> e.Message
                Expect.stringContains message "20 epochs" "what to write"
            }
        ]
        test "steps, clips and epochs agree with going through the epochs one by one" {
            for samples in [ 5; 8; 9; 23 ] do
                for clips in [ 2L; 8L; 9L; 17L; 46L; 47L; 100L ] do
                    for batch, accumulate in [ 4, 1; 4, 3; 16, 2 ] do
                        let meter = BudgetMeter(Budget.OfClips clips, samples, 0.0)
                        let steps, epochs = walk samples clips batch accumulate
                        let what = $"{clips} clips of {samples}, batches of {batch} x {accumulate}"
                        Expect.equal (meter.Steps(batch, accumulate).Value) (int64 steps) what
                        Expect.equal (meter.Epochs [||]) epochs what
        }
        testSequencedGroup "torch" <| testList "training" [
            test "equal budgets in two currencies are the same training" {
                use _ = torch.NewDisposeScope()
                let run budget =
                    let trainer, model = TrainingTests.trainer (settings budget) 3
                    trainer.Run()
                    TrainingTests.bits model, [ for row in trainer.Rows -> row.Clips, row.LearningRate, row.TrainLoss ]
                let epochs = run (Budget.OfEpochs 3)
                Expect.equal (run (Budget.OfClips(3L * int64 samples.Value))) epochs "clips"
                let trainer, model = TrainingTests.trainer (settings (Budget.OfEpochs 1)) 3
                let price = MultiplyAdds.Count(model, InputShape(1L, 64L, 32L))
                Expect.isGreaterThan price 0L "a price"
                Expect.equal (run (Budget.OfMultiplyAdds(float price * (3.0 * float samples.Value + 0.5)))) epochs "multiply-adds"
                ignore trainer
            }
            test "a budget of clips may end within an epoch, with the learning rate at its end" {
                use _ = torch.NewDisposeScope()
                let clips = int64 samples.Value + 3L
                let trainer, _ = TrainingTests.trainer (settings (Budget.OfClips clips)) 3
                trainer.Run()
                Expect.equal [ for row in trainer.Rows -> row.Clips ] [ int64 samples.Value; 3L ] "clips by epoch"
                let last = Seq.last trainer.Rows
                Expect.isTrue last.Evaluated "the end is evaluated"
                Expect.equal (trainer.Kept.Planned, trainer.Kept.Trained) (2, 2) "as planned"
                let steps = trainer.Steps
                Expect.floatClose Accuracy.high last.LearningRate (Schedule(2e-3, steps, 0.1).At(steps - 1L)) "the schedule's last step"
            }
            test "a training that is stopped within such a budget goes on to the same bits" {
                use _ = torch.NewDisposeScope()
                let set = settings (Budget.OfClips(2L * int64 samples.Value + 3L))
                let whole, wholeModel = TrainingTests.trainer set 4
                whole.Run()
                for stop in 1..2 do
                    let file = Scratch.path $"budget{stop}.safetensors"
                    let stopped, _ = TrainingTests.trainer set 4
                    use source = new CancellationTokenSource()
                    let after = { new IProgress<TrainingProgress> with member _.Report p = TrainingTests.afterEpoch (fun row -> if row.Epoch = stop then source.Cancel()) p }
                    Expect.throwsT<OperationCanceledException> (fun () -> stopped.Run(file, after, source.Token)) "stopped"
                    let resumed, model = TrainingTests.trainer set 4
                    resumed.Run file
                    Expect.equal (TrainingTests.bits model) (TrainingTests.bits wholeModel) $"after epoch {stop}"
            }
            test "a budget of seconds is spent, no more than one step over, and the learning rate ends near zero" {
                use _ = torch.NewDisposeScope()
                let trainer, _ = TrainingTests.trainer (settings (Budget.OfSeconds 0.4)) 3
                let steps = ResizeArray()
                trainer.Run(null, { new IProgress<TrainingProgress> with member _.Report p = steps.Add p })
                Expect.isGreaterThanOrEqual (trainer.Rows |> Seq.sumBy _.Seconds) 0.4 "spent"
                Expect.isTrue (Seq.last trainer.Rows).Evaluated "evaluated at its end"
                Expect.isLessThan (Seq.last trainer.Rows).LearningRate 1e-3 "fallen"
                Expect.equal trainer.Kept.Planned trainer.Rows.Count "as planned"
                Expect.isNonEmpty steps "told"
            }
            test "a budget too small for two clips is an error that names the price" {
                use _ = torch.NewDisposeScope()
                let trainer, _ = TrainingTests.trainer (settings (Budget.OfMultiplyAdds 1000.0)) 3
                let message = try trainer.Run(); "" with :? ArgumentException as e -> e.Message
                Expect.stringContains message "one clip costs tsresnet_tiny" "price"
            }
            test "about twenty evaluations are spread over a budget, or one after every so many epochs" {
                let meter = BudgetMeter(Budget.OfEpochs 60, 8, 0.0)
                let evaluated every = [ for e in 1..60 do if meter.EvaluatesAfter(e, float (e - 1) / 60.0, float e / 60.0, every) then e ]
                Expect.equal (evaluated 0) [ 3..3..60 ] "twenty"
                Expect.equal (evaluated 7) ([ 7..7..56 ] @ [ 60 ]) "each seventh, and the last"
            }
        ]
    ]
