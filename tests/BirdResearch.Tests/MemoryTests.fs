module BirdResearch.Tests.MemoryTests

open System
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Features
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private classes, clips = 4, 6

/// The catalogue's test variants: every family has one.
let private names = [ for entry in Classifiers.All do if entry.IsTest then entry.Name ]

/// A front-end of the shape that the model is tested on.
let private frontEndOf (name: string) =
    let shape = ModelsTests.shapeOf name
    if shape.Rows = 1L then FrontEnds.Create(FrontEndSettings(Kind = "waveform", SampleRate = 16000)), int shape.Frames
    else
        let mel = MelSettings(Mels = int shape.Rows, Fft = 256, Hop = 100, MinHz = 100.0, MaxHz = 7900.0)
        FrontEnds.Create(FrontEndSettings(Kind = "mel", SampleRate = 16000, Mel = mel)), 100 * int shape.Frames

/// One training step after another on the same sound: mixing, front-end, masks, model, loss and optimiser, as the trainer takes them.
type private Steps(name: string, precision: string, lossName: string) =
    let frontEnd, samples = frontEndOf name
    let model =
        Classifiers.Create(name, classes, ModelsTests.shapeOf name, ModelOptions(Seed = Nullable 1, DropRate = 0.1, DropPathRate = 0.1))
    do ProductPrecision.Apply(precision, model)
    let optimiser = ParameterRules.Optimiser(model, TrainingSettings())
    let average = new WeightAverage(model, EmaSettings(Decay = 0.9))
    let augmenter = new Augmenter(AugmentationSettings(Mixup = MixupSettings(Probability = 0.7)), frontEnd.SampleRate, frontEnd.MaskedValue)
    let loss = Loss.Named(lossName, Labelling.MultiLabel, 0.1)
    let weights = torch.ones(int64 clips, int64 classes).triu() // labels that are not known
    let clip = sound clips samples
    let labels = torch.eye(int64 clips, int64 classes)

    member _.Take(step: int) =
        use _ = torch.NewDisposeScope()
        torch.manual_seed (int64 step) |> ignore
        let keys = [| for row in 1..clips -> SampleKey(1L, step, string row) |]
        let batch = augmenter.OnBatch(LabelledSound(clip, labels, keys))
        let features = augmenter.OnFeatures(frontEnd.forward batch.Samples, keys)
        let value = loss.Of(model.call features, batch.Labels, weights)
        value.backward ()
        optimiser.Step(1e-3, 5.0) |> ignore
        average.Update optimiser.Steps
        value.item<float32> ()

    member _.Weights = [ for struct (key, tensor) in StateDictionary.Of model -> key, tensor.bytes.ToArray() ]

    interface IDisposable with
        member _.Dispose() =
            frontEnd.Dispose()
            augmenter.Dispose()
            average.Dispose()
            model.Dispose()

/// What the work gives, each time, while another thread collects garbage, and finalises, every millisecond; it is done again until
/// there were enough collections.
let private inStorm (enough: int) (work: unit -> 'a) =
    use over = new CancellationTokenSource()
    let mutable collections = 0
    let collector =
        Thread(fun () ->
            while not over.IsCancellationRequested do
                GC.Collect(if collections % 6 = 0 then 2 else 0) // a collection of everything takes long in a process of many tests
                Volatile.Write(&collections, collections + 1)
                Thread.Sleep 1)
    collector.Start()
    try
        let results = ResizeArray [ work () ]
        while Volatile.Read &collections < enough do results.Add(work ())
        List.ofSeq results
    finally
        over.Cancel()
        collector.Join()

let private steps = 6

/// Every family in the precisions that it has, and every loss.
let private ways =
    [ for name in names do
          name, "fp32", "bce"
          use model = Classifiers.Create(name, classes, ModelsTests.shapeOf name)
          if model.modules () |> Seq.exists (fun m -> box m :? IMixedPrecision) then name, "bf16", "focal"
      "tsresnet_tiny", "fp32", "ce"
      "tsresnet_tiny", "fp32", "asymmetric" ]

/// Losses and weights after some steps.
let private trained (name, precision, loss) =
    use _ = torch.NewDisposeScope()
    use run = new Steps(name, precision, loss)
    let losses = [ for step in 1..steps -> run.Take step ]
    losses, run.Weights

/// Code that runs once, while a model is made or a reference file is judged, or that is plain on purpose.
let private mayMakeScalars =
    [ "BirdResearch.Models.Hippo."; "BirdResearch.Reference."; "BirdResearch.Kernels.KeptScalar"; "BirdResearch.Kernels.SelectiveScan.Reference" ]

/// What the search for passing Scalars must find.
type private Careless =
    static member Half(x: torch.Tensor) = x * torch.tensor 0.5f + x
    static member Square(x: torch.Tensor) = x.pow(2.0.ToScalar())
    static member Careful(x: torch.Tensor) = x * x - x

let tests =
    testSequencedGroup "torch"
    <| testList "Memory" [
        test "nothing that a training step runs hands libtorch a Scalar that nobody keeps" {
            let sites = PassingScalars.sitesIn typeof<Classifier>.Assembly
            let wrong = sites |> List.filter (fun (name, _) -> not (mayMakeScalars |> List.exists name.StartsWith))
            Expect.isEmpty wrong (String.Join("\n", [ for name, found in wrong -> $"{name}: {found}" ]))
        }
        test "the search for passing Scalars finds them" {
            let found = [ for name, _ in PassingScalars.sitesIn typeof<Careless>.Assembly do if name.Contains "Careless" then name.Split('.') |> Array.last ]
            Expect.equal (List.sort found) [ "Half"; "Square" ] "methods"
        }
        for name, precision, loss in ways do
            test $"training {name} in {precision} with {loss} through a storm of garbage collections gives the same bits as without" {
                let quiet = trained (name, precision, loss)
                for stormy in inStorm 30 (fun () -> trained (name, precision, loss)) do
                    Expect.equal (fst stormy) (fst quiet) "losses"
                    Expect.equal (snd stormy) (snd quiet) "weights"
            }
            test $"twenty training steps of {name} in {precision} with {loss} leave as many live tensors as there were" {
                use _ = torch.NewDisposeScope()
                use run = new Steps(name, precision, loss)
                run.Take 1 |> ignore // makes buffers and moments
                let counts =
                    [ for step in 2..22 do
                          run.Take step |> ignore
                          if step % 4 = 2 then settledTensors () ]
                neverRises counts
            }
        for name in FrontEnds.All.Keys do
            torchTest $"{name} gives the same features through a storm of garbage collections" (fun () ->
                use frontEnd = FrontEnds.Create(name: string)
                let x = sound 3 (2 * frontEnd.SampleRate)
                let features () =
                    use _ = torch.NewDisposeScope()
                    (frontEnd.forward x).contiguous().bytes.ToArray()
                let quiet = features ()
                for stormy in inStorm 30 features do Expect.equal stormy quiet "features")
        test "the trainer gives the same weights and scores through a storm of garbage collections" {
            let run () =
                use _ = torch.NewDisposeScope()
                let trainer, model = TrainingTests.trainer (TrainingSettings(Budget = Budget.OfEpochs 2, BatchSize = 4, WindowSeconds = 2.0, EvaluateEvery = 1)) 3
                trainer.Run()
                TrainingTests.bits model, [ for row in trainer.Rows -> row.TrainLoss, row.TrainMap, row.FocalMap ]
            let quiet = run ()
            for stormy in inStorm 30 run do
                Expect.equal (fst stormy) (fst quiet) "weights"
                Expect.equal (snd stormy) (snd quiet) "epochs"
        }
    ]
