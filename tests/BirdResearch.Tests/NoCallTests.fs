module BirdResearch.Tests.NoCallTests

open System
open System.IO
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.SmallData
open BirdResearch.Tests.Tensors

let private rate = 8000

/// 40 recordings of two species and three of none, each sample showing its place.
let private ramps (folder: Scratch) =
    let clips = [ for i in 0..39 -> SmallData.clip $"c{i:D2}" (if i % 2 = 0 then "owl" else "wren") $"g{i}" ]
    for c in clips do folder.Ramp(c.File, 1.0)
    let none = [| for i in 1..3 -> $"nocall/n{i}.wav" |]
    for file in none do folder.Ramp(file, 3.0)
    Dataset(Name = "made-up", Root = folder.Root, Layout = "birdclef", Classes = [| "owl"; "wren" |], Focal = Array.ofList clips, NoCall = none,
            Unlabelled = [| "unlabeled_soundscapes/u.wav" |], Labelling = Labelling.MultiLabel, GroupedBy = "author", ContentKey = "")

let private splitOf (data: Dataset) =
    Split(Train = data.Focal, Validation = [||], Fold = 0, Folds = [| 0 |], Rule = "", ClassesWithoutTraining = [||], ClassesWithoutValidation = [||])

let private windows (data: Dataset) (share: float) sampling epoch =
    let noCall = NoCallWindows.Of(NoCallSettings(Share = share), data, splitOf data, false)
    [ for b in ClipBatches.Training(WindowReader(data, rate, 0.5), data.Focal, data.Classes, 4, 1L, epoch, workers = Nullable 2, sampling = sampling, noCall = noCall) do
        for row in 0 .. b.Count - 1 ->
            b.Keys[row], b.Labels[row * 2 .. row * 2 + 1], b.Samples[row * b.WindowSamples .. (row + 1) * b.WindowSamples - 1] ]

let private isNone (key: SampleKey, _, _) = key.Clip.StartsWith "nocall/"

let private planning = [
    for window in [ WindowChoice.Random; WindowChoice.First; WindowChoice.All ] do
        test $"with windows {window}, a share of them holds no class, at any place, and the others are what they were" {
            use folder = new Scratch()
            let data = ramps folder
            let sampling = SamplingSettings(Window = window)
            let plain, mixed = windows data 0.0 sampling 2, windows data 0.25 sampling 2
            Expect.equal mixed.Length plain.Length "an epoch keeps its length"
            let none, others = List.partition isNone mixed
            Expect.equal none.Length (int (Math.Round(0.25 * float plain.Length))) "how many"
            for _, labels, _ in none do Expect.equal labels [| 0f; 0f |] "no class"
            let before = dict [ for key, labels, samples in plain -> key, (labels, samples) ]
            for key, labels, samples in others do Expect.equal (labels, samples) before[key] "as without"
            Expect.isGreaterThan (none |> List.distinctBy (fun (_, _, s) -> s[0])).Length 5 "places"
            Expect.isTrue (none |> List.exists (fun (_, _, s) -> s[0] > 0.1f)) "also far into a recording"
            Expect.isGreaterThan (none |> List.distinctBy (fun (key, _, _) -> key.Clip)).Length 1 "recordings"
            let order = mixed |> List.map isNone
            Expect.isFalse (order = List.sort order || order = List.sortDescending order) "spread over the epoch"
        }
    test "every epoch leaves out others, and can be made again" {
        use folder = new Scratch()
        let data = ramps folder
        let of' epoch = windows data 0.5 (SamplingSettings()) epoch
        Expect.equal (of' 3) (of' 3) "again"
        let kept epoch = of' epoch |> List.filter (isNone >> not) |> List.map (fun (key, _, _) -> key.Clip) |> List.sort
        Expect.notEqual (kept 3) (kept 4) "another epoch"
        let seen = [ for epoch in 0..11 do yield! kept epoch ] |> List.distinct
        Expect.equal seen.Length data.Focal.Count "over twelve epochs every recording comes"
    }
    test "recordings known to hold no class come before soundscapes without labels, and what is asked for and missing is named" {
        use folder = new Scratch()
        let data = ramps folder
        let filesOf (data: Dataset) settings = [ for c in (nonNull (NoCallWindows.Of(settings, data, splitOf data, false))).Clips -> c.File ]
        let unlabelled = NoCallSettings(Share = 0.1, Source = Nullable NoCallSource.Unlabelled)
        Expect.equal (filesOf data (NoCallSettings(Share = 0.1))) (List.ofSeq data.NoCall) "both there"
        Expect.equal (filesOf data unlabelled) (List.ofSeq data.Unlabelled) "asked for"
        let plain = dataset folder.Root (List.ofSeq data.Focal)
        let refused (settings: NoCallSettings) = messageOf (fun () -> NoCallWindows.Of(settings, plain, splitOf plain, false))
        Expect.stringContains (refused (NoCallSettings(Share = 0.1))) "neither recordings without calls nor" "nothing"
        Expect.stringContains (refused unlabelled) "unlabeled_soundscapes/" "no soundscapes"
        Expect.stringContains (refused (NoCallSettings(Share = 0.1, Source = Nullable NoCallSource.Recordings))) "nocall/" "no recordings"
        Expect.isNull (NoCallWindows.Of(NoCallSettings(), plain, splitOf plain, true)) "switched off"
        Expect.stringContains (messageOf (fun () -> NoCallWindows.Of(NoCallSettings(Share = 0.1), data, splitOf data, true))) "training.loss=bce" "cross-entropy"
        Expect.stringContains (messageOf (fun () -> TrainingSettings(NoCall = NoCallSettings(Share = 0.95)).Check(); 0)) "training.no_call.share is 0.95" "out of range"
    }
    test "the synthetic world makes recordings without birds when asked to, and the rest is what it was" {
        use folder = new Scratch()
        let make name count =
            let settings = SyntheticBirdsSettings(Species = 2, RecordingsPerSpecies = 1, Soundscapes = 1, SoundscapeSeconds = 10, UnlabelledSoundscapes = 1, NoCallRecordings = count)
            SyntheticBirds.Write(folder.Path name, settings, null, CancellationToken.None)
            Datasets.Open(folder.Path name)
        let samples (data: Dataset) clip = AudioFile.Read(data.PathOf clip).Samples
        let without, three = make "without" 0, make "three" 3
        Expect.equal (List.ofSeq without.NoCall, List.ofSeq three.NoCall) ([], [ for i in 1..3 -> $"nocall/nocall_0{i}.ogg" ]) "files"
        Expect.equal three.ContentKey without.ContentKey "what is trained and tested on"
        for clip in without.Focal do Expect.equal (samples three clip) (samples without clip) clip.Id
        Expect.isFalse (File.ReadAllText(folder.Path "without/synthetic.json").Contains "no_call") "data sets of earlier versions are whole as they are"
    }
]

let private settings share =
    TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, EvaluateEvery = 1, NoCall = NoCallSettings(Share = share))

let private data =
    lazy
        (let folder = Scratch.path "no-call"
         SyntheticBirds.Write(folder, SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 4, Soundscapes = 1, SoundscapeSeconds = 10, UnlabelledSoundscapes = 0, NoCallRecordings = 2), null, CancellationToken.None)
         Datasets.Open folder)

let private trainer settings =
    let data = data.Force()
    let frontEnd = FrontEnds.Create "mel-64"
    torch.manual_seed 4L |> ignore
    let model = Classifiers.Create("tsresnet_tiny", data.Classes.Count, TrialRunner.ShapeOf(frontEnd, 2.0))
    Trainer(frontEnd, model, WindowReader(data, frontEnd.SampleRate, 2.0), data, Splits.Of(data, Nullable()), settings, 4), model

let private training = [
    torchTest "a training counts them, and goes on to the same bits and counts after a stop" (fun () ->
        let counts (trainer: Trainer) = [ for row in trainer.Rows -> let c = row.Augmentations[NoCallWindows.Name] in c.Applied, c.Offered ]
        let whole, wholeModel = trainer (settings 0.3)
        whole.Run()
        let train = (Splits.Of(data.Force(), Nullable())).Train.Count
        let each = int64 (Math.Round(0.3 * float train)), int64 train
        Expect.equal (counts whole) (List.replicate 3 each) "every epoch"
        let file = Path.Combine((data.Force()).Root, "..", "no-call.safetensors")
        File.Delete file
        let stopped, _ = trainer (settings 0.3)
        use source = new CancellationTokenSource()
        let stop = { new IProgress<TrainingProgress> with member _.Report p = TrainingTests.afterEpoch (fun r -> if r.Epoch = 1 then source.Cancel()) p }
        (try stopped.Run(file, stop, source.Token) with :? OperationCanceledException -> ())
        let resumed, model = trainer (settings 0.3)
        resumed.Run file
        Expect.equal (counts resumed) (counts whole) "counts"
        Expect.equal (TrainingTests.bits model) (TrainingTests.bits wholeModel) "bits"
        let plain, plainModel = trainer (settings 0.0)
        plain.Run()
        Expect.notEqual (TrainingTests.bits plainModel) (TrainingTests.bits wholeModel) "they change the training"
        Expect.isFalse (plain.AugmentationCounts.All.ContainsKey NoCallWindows.Name) "and are not counted where there are none")
    torchTest "cross-entropy and a data set without such sound are refused before anything is trained" (fun () ->
        let runner = TrialRunner(RunStore(Path.GetTempPath()))
        let complete (data: Dataset) (loss: string | null) = messageOf (fun () -> runner.Complete(Trial(Data = data.Root, Training = TrainingSettings(Loss = loss, NoCall = NoCallSettings(Share = 0.2)))))
        Expect.stringContains (complete (data.Force()) "ce") "exactly one class" "cross-entropy"
        Expect.stringContains (complete (TrainingTests.tinyData.Force()) null) "has neither" "no sound")
]

let tests : Test = testSequencedGroup "torch" (testList "No-call" [ testList "planning" planning; testList "training" training ])
