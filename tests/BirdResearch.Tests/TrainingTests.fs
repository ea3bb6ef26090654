module BirdResearch.Tests.TrainingTests

open System
open System.IO
open System.Threading
open Expecto
open TorchSharp
open TorchSharp.Modules
open BirdResearch.Data
open BirdResearch.Features
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Training

/// AdamW by its formula, one parameter at a time, in double.
let plainAdamW (start: float[]) (gradients: float[] list) rate decay clip =
    let p, m, v = Array.copy start, Array.zeroCreate start.Length, Array.zeroCreate start.Length
    gradients
    |> List.iteri (fun step g ->
        let norm = sqrt (Array.sumBy (fun x -> x * x) g)
        let scale = if clip > 0.0 && norm > clip then clip / norm else 1.0
        for i in 0 .. p.Length - 1 do
            let g = g[i] * scale
            m[i] <- 0.9 * m[i] + 0.1 * g
            v[i] <- 0.999 * v[i] + 0.001 * g * g
            let mHat = m[i] / (1.0 - 0.9 ** float (step + 1))
            let vHat = v[i] / (1.0 - 0.999 ** float (step + 1))
            p[i] <- p[i] * (1.0 - rate * decay) - rate * mHat / (sqrt vHat + 1e-8))
    p

let adamWAgainstFormula (shape: int64[]) (decayed: bool) clip =
    use scope = torch.NewDisposeScope ()
    let random = Random 3
    let count = int (Array.fold (*) 1L shape)
    let draw () = Array.init count (fun _ -> random.NextDouble () * 2.0 - 1.0)
    let start = draw ()
    let gradients = [ for _ in 1..25 -> draw () ]
    let parameter = new Parameter (torch.tensor(Array.map float32 start).reshape shape)
    let optimiser = AdamW ([| struct ("p", parameter) |], weightDecay = 0.1)
    for g in gradients do
        parameter.grad <- torch.tensor(Array.map float32 g).reshape shape
        optimiser.Step (0.01, clip) |> ignore
    let want = plainAdamW start gradients 0.01 (if decayed then 0.1 else 0.0) clip
    let got = parameter.detach().reshape(-1L).data<float32>().ToArray ()
    Array.zip want got |> Array.map (fun (w, g) -> abs (w - float g)) |> Array.max

let tinyData =
    lazy
        (let folder = Scratch.path "training"
         TinyBirds.write folder
         Datasets.Open folder)

let settings = TrainingSettings(Budget = Budget.OfEpochs 4, BatchSize = 4, WindowSeconds = 2.0, LearningRate = 2e-3, EvaluationWindows = 2, EvaluateEvery = 2)

let trainer (settings: TrainingSettings) seed =
    let data = tinyData.Force ()
    let frontEnd = FrontEnds.Create (FrontEnds.Named "mel-64")
    let shape = BirdResearch.Experiments.TrialRunner.ShapeOf (frontEnd, settings.WindowSeconds)
    torch.manual_seed (int64 seed) |> ignore
    let model = Classifiers.Create ("tsresnet_tiny", data.Classes.Count, shape)
    let reader = new WindowReader (data, frontEnd.SampleRate, settings.WindowSeconds)
    Trainer (frontEnd, model, reader, data, Splits.Of (data, Nullable ()), settings, seed), model

/// Calls back with the epoch that has just ended.
let afterEpoch (act: EpochRow -> unit) (progress: TrainingProgress | null) =
    match progress with
    | null -> ()
    | p -> match p.Finished with null -> () | row -> act row

let bits (model: Classifier) =
    [ for KeyValue (name, value) in model.state_dict () -> name, value.cpu().contiguous().bytes.ToArray () ]

let tests =
    testSequencedGroup "torch"
    <| testList "Training" [
        for shape, decayed in [ [| 7L; 9L |], true; [| 61L |], false; [| 3L; 2L; 5L; 5L |], true; [| 1L |], false ] do
            for clip in [ 0.0; 0.5 ] do
                test $"AdamW over a parameter of shape {shape.Length}-d, {shape[0]}.., clipped at {clip}, follows the formula" {
                    Expect.isLessThan (adamWAgainstFormula shape decayed clip) 2e-6 "largest difference after 25 steps"
                }

        test "AdamW changes nothing when a gradient is not finite, and says so" {
            use scope = torch.NewDisposeScope ()
            let parameter = new Parameter (torch.ones 5L)
            let optimiser = AdamW [| struct ("p", parameter) |]
            parameter.grad <- torch.tensor [| 1.0f; nanf; 0.0f; 0.0f; 0.0f |]
            Expect.isFalse (Double.IsFinite (optimiser.Step 0.1)) "the norm"
            Expect.equal (parameter.sum().item<float32> ()) 5.0f "the parameter"
            Expect.equal optimiser.Steps 0L "the steps"
        }

        test "the learning rate rises over the warm-up, peaks once and falls to nearly nothing" {
            let schedule = Schedule (1e-3, 200L, 0.1)
            let rates = [ for step in 0L .. 199L -> schedule.At step ]
            let peak = List.max rates
            Expect.floatClose Accuracy.high peak 1e-3 "peak"
            Expect.equal (List.findIndex ((=) peak) rates) 20 "where it peaks"
            Expect.isTrue (rates[..20] |> List.pairwise |> List.forall (fun (a, b) -> b > a)) "rises"
            Expect.isTrue (rates[20..] |> List.pairwise |> List.forall (fun (a, b) -> b < a)) "falls"
            Expect.isLessThan (List.last rates) 1e-6 "end"
        }

        test "binary cross-entropy is the mean over all cells and cross-entropy shares its mass among several labels" {
            use scope = torch.NewDisposeScope ()
            let logits, labels = torch.tensor([| 0.3f; -1.2f; 2.0f |]).reshape(1L, 3L), torch.tensor([| 1.0f; 0.0f; 1.0f |]).reshape(1L, 3L)
            let z, t = [ 0.3; -1.2; 2.0 ], [ 1.0; 0.0; 1.0 ]
            let bce = List.map2 (fun z t -> -(t * log (1.0 / (1.0 + exp -z)) + (1.0 - t) * log (1.0 - 1.0 / (1.0 + exp -z)))) z t |> List.average
            let norm = z |> List.sumBy exp |> log
            let ce = List.map2 (fun z t -> -(t / 2.0) * (z - norm)) z t |> List.sum
            let value name = Loss.Named(name, Labelling.MultiLabel).Of(logits, labels).item<float32> () |> float
            Expect.floatClose Accuracy.medium (value "bce") bce "bce"
            Expect.floatClose Accuracy.medium (value "ce") ce "ce"
        }

        test "a data set with one label per clip trains with cross-entropy unless told otherwise, and scores sum to one" {
            use scope = torch.NewDisposeScope ()
            let scores = Loss.Named(null, Labelling.SingleLabel).Scores (torch.randn (4L, 6L))
            Expect.floatClose Accuracy.low (float (scores.sum().item<float32> ())) 4.0 "four rows"
            Expect.throwsT<ArgumentException> (fun () -> Loss.Named ("hinge", Labelling.MultiLabel) |> ignore) "an unknown loss"
        }

        test "a setting out of its range is named in the error" {
            for wrong, name in
                [ TrainingSettings(Budget = Budget.OfEpochs 0), "training.budget"
                  TrainingSettings (LearningRate = -1.0), "training.learning_rate"
                  TrainingSettings (Augmentation = AugmentationSettings (Mixup = MixupSettings (Probability = 1.5))), "training.augmentation.mixup.probability" ] do
                let message = try wrong.Check (); "" with :? ArgumentException as e -> e.Message
                Expect.stringContains message name "the setting's name"
        }

        test "the same seed trains to the same bits and another seed does not" {
            let run seed =
                use scope = torch.NewDisposeScope ()
                let trainer, model = trainer settings seed
                trainer.Run ()
                bits model, trainer.Rows |> Seq.map (fun r -> r.TrainLoss, r.FocalMap) |> List.ofSeq
            let first, again, other = run 1, run 1, run 2
            Expect.equal again first "seed 1 twice"
            Expect.notEqual (fst other) (fst first) "seed 2"
        }

        test "training stopped after any epoch goes on to the same bits as an undisturbed one" {
            use scope = torch.NewDisposeScope ()
            let whole, wholeModel = trainer settings 5
            whole.Run ()
            for stop in 1 .. int settings.Budget.Amount - 1 do
                let file = Scratch.path $"resume{stop}.safetensors"
                let stopped, _ = trainer settings 5
                use source = new CancellationTokenSource ()
                let stopAfter =
                    { new IProgress<TrainingProgress> with
                        member _.Report p = afterEpoch (fun row -> if row.Epoch = stop then source.Cancel ()) p }
                Expect.throwsT<OperationCanceledException> (fun () -> stopped.Run (file, stopAfter, source.Token)) "stopped"
                let resumed, resumedModel = trainer settings 5
                resumed.Run file
                Expect.equal (bits resumedModel) (bits wholeModel) $"weights after stopping at epoch {stop}"
                let scores (t: Trainer) = t.Rows |> Seq.map (fun r -> r.Epoch, r.TrainLoss, r.TrainMap, r.FocalMap) |> List.ofSeq
                Expect.equal (scores resumed) (scores whole) "epochs"
        }

        test "training learns: the loss falls and training mAP ends far above chance" {
            use scope = torch.NewDisposeScope ()
            let trainer, _ = trainer (TrainingSettings(Budget = Budget.OfEpochs 60, BatchSize = 4, WindowSeconds = 2.0, LearningRate = 3e-3, EvaluateEvery = 60, Augmentation = AugmentationSettings.Off, DropRate = 0.0)) 1
            trainer.Run ()
            Expect.isLessThan (Seq.last trainer.Rows).TrainLoss ((Seq.head trainer.Rows).TrainLoss * 0.5) "loss"
            Expect.isGreaterThan (Seq.last trainer.Rows).TrainMap.Value 0.9 "training mAP"
        }

        test "the number of live tensors is flat over epochs" {
            use scope = torch.NewDisposeScope ()
            let trainer, _ = trainer (TrainingSettings(Budget = Budget.OfEpochs 5, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1)) 1
            let counts = ResizeArray ()
            let count =
                { new IProgress<TrainingProgress> with
                    member _.Report p = afterEpoch (fun _ -> counts.Add (Tensors.settledTensors ())) p }
            trainer.Run (null, count)
            Tensors.neverRises counts
        }
    ]
