/// SSAMBA learning without labels: its data, its training, its runs, and the front-ends that it reads.
module BirdResearch.Tests.PretrainingTests

open System
open System.IO
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Models
open BirdResearch.Training
open Tensors
open SsambaTests

let private fbank = FrontEndSettings(Kind = "kaldi-fbank", SampleRate = 16000, Fbank = FbankSettings(Bins = 32), Normalisation = Normalisation.Fixed, Mean = -6.6268077, Std = 10.716932)

let private settings = PretrainingSettings(Epochs = 3, BatchSize = 4, WindowSeconds = 2.0, SecondsPerWindow = 2.0, LearningRate = 2e-3)

let private birds =
    lazy
        (let folder = Scratch.path "pretraining"
         let sound = SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 4, Soundscapes = 1, SoundscapeSeconds = 15, UnlabelledSoundscapes = 2)
         SyntheticBirds.Write(folder, sound, null, CancellationToken.None)
         Datasets.Open folder)

let private noFold = Nullable()

let private prepare (settings: PretrainingSettings) seed =
    let data = PretrainingData.Of([ birds.Force() ], noFold, settings)
    let frontEnd = FrontEnds.Create fbank
    torch.manual_seed (int64 seed) |> ignore
    let model = SsambaPretrainer.Create("ssamba_test_tiny", TrialRunner.ShapeOf(frontEnd, settings.WindowSeconds), settings.DropPathRate)
    let reader = WindowReader(data.Sound, frontEnd.SampleRate, settings.WindowSeconds)
    Pretrainer(frontEnd, model, reader, data, settings, seed), model

let private losses (p: Pretrainer) = [ for r in p.Rows -> r.Epoch, r.Nce, r.Mse, r.MaskedAccuracy, r.ValidationNce, r.ValidationMse ]

let private data =
    testList "data" [
        test "long recordings give a window for every so many seconds, and unlabelled soundscapes are among them" {
            let set = birds.Force()
            let plan = PretrainingData.Of([ set ], noFold, settings)
            let all = Seq.append plan.Train plan.Validation |> List.ofSeq
            let files = all |> List.map _.File |> List.distinct
            Expect.equal files.Length (set.Focal.Count + set.Unlabelled.Count) "recordings"
            for file in set.Unlabelled do Expect.contains files (Path.Combine(set.Root, file)) "unlabelled"
            for clip in set.Soundscapes do Expect.isFalse (List.contains (set.PathOf clip) files) "labelled soundscapes are for testing"
            Expect.equal (all |> List.distinctBy _.Id |> List.length) all.Length "ids"
            for file, stretches in all |> List.groupBy _.File do
                let seconds = BirdResearch.Audio.AudioFile.Probe(file).Seconds
                // Validation is thinned out, so only files that are whole can be counted.
                if plan.Train |> Seq.exists (fun c -> c.File = file) then Expect.equal stretches.Length (max 1 (int (seconds / 2.0))) file
                for clip in stretches do if clip.Seconds.HasValue then Expect.isGreaterThanOrEqual clip.Seconds.Value 2.0 "no stretch is shorter than a window"
            Expect.isNonEmpty plan.Validation "held out"
            Expect.isEmpty (Set.intersect (plan.Train |> Seq.map _.Group |> Set.ofSeq) (plan.Validation |> Seq.map _.Group |> Set.ofSeq)) "no group on both sides"
        }
        test "with a fold its recordings are held out, all of them and no others" {
            let set = birds.Force()
            let held = Splits.Of(set, Nullable 1).Validation |> Seq.map set.PathOf |> Set.ofSeq
            let plan = PretrainingData.Of([ set ], Nullable 1, settings)
            Expect.equal (plan.Validation |> Seq.map _.File |> Set.ofSeq) held "validation"
            Expect.isEmpty (Set.intersect held (plan.Train |> Seq.map _.File |> Set.ofSeq)) "training"
        }
        test "a data set given twice and stretches shorter than windows are refused" {
            let set = birds.Force()
            Expect.stringContains (messageOf (fun () -> PretrainingData.Of([ set; set ], noFold, settings))) "given twice" "twice"
            let wrong = PretrainingSettings(WindowSeconds = 5.0, SecondsPerWindow = 2.0)
            Expect.stringContains (messageOf (fun () -> wrong.Check(); null)) "training.seconds_per_window is 2" "stretches"
        }
        test "two data sets are learnt from together, and the key follows what they hold" {
            let set, other = birds.Force(), TrainingTests.tinyData.Force()
            let both = PretrainingData.Of([ set; other ], noFold, settings)
            Expect.equal both.Name "pretraining+training" "name"
            Expect.equal both.Train.Count ((Seq.append both.Train []) |> Seq.distinctBy _.Id |> Seq.length) "ids"
            Expect.isTrue (both.Train |> Seq.exists (fun c -> c.File.StartsWith other.Root)) "the second set"
            Expect.notEqual both.ContentKey (PretrainingData.Of([ set ], noFold, settings)).ContentKey "key"
        }
    ]

let private training =
    testList "pretraining" [
        torchTest "the losses fall below those of the first epoch, on held-out recordings too" (fun () ->
            let learner, _ = prepare (PretrainingSettings(Epochs = 8, BatchSize = 4, WindowSeconds = 2.0, SecondsPerWindow = 2.0, LearningRate = 3e-3, DropPathRate = 0.0)) 1
            learner.Run()
            let first, last = learner.Rows[0], learner.Rows[learner.Rows.Count - 1]
            Expect.isLessThan last.Mse (0.8 * first.Mse) "reconstruction"
            Expect.isLessThan last.Nce (first.Nce - 0.1) "InfoNCE"
            Expect.isLessThan last.ValidationNce.Value (first.ValidationNce.Value - 0.05) "held-out InfoNCE"
            Expect.isLessThan last.ValidationMse.Value first.ValidationMse.Value "held-out reconstruction"
            Expect.isGreaterThan last.MaskedAccuracy first.MaskedAccuracy "accuracy")
        torchTest "stopped after any epoch it goes on to the same bits as an undisturbed one, and another seed does not" (fun () ->
            let whole, wholeModel = prepare settings 5
            whole.Run()
            for stop in 1 .. settings.Epochs - 1 do
                let file = Scratch.path $"pretraining{stop}.safetensors"
                let stopped, _ = prepare settings 5
                use source = new CancellationTokenSource()
                let stopAfter =
                    { new IProgress<PretrainingProgress> with
                        member _.Report p = match p.Finished with null -> () | row -> if row.Epoch = stop then source.Cancel() }
                Expect.throwsT<OperationCanceledException> (fun () -> stopped.Run(file, stopAfter, source.Token)) "stopped"
                let resumed, resumedModel = prepare settings 5
                resumed.Run file
                Expect.equal (bitsOf resumedModel) (bitsOf wholeModel) $"weights after stopping at epoch {stop}"
                Expect.equal (losses resumed) (losses whole) "epochs"
            let other, otherModel = prepare settings 6
            other.Run()
            Expect.notEqual (bitsOf otherModel) (bitsOf wholeModel) "another seed")
        torchTest "the number of live tensors is flat over epochs" (fun () ->
            let learner, _ = prepare (PretrainingSettings(Epochs = 5, BatchSize = 4, WindowSeconds = 2.0, SecondsPerWindow = 4.0)) 1
            let counts = ResizeArray()
            let count =
                { new IProgress<PretrainingProgress> with
                    member _.Report p = match p.Finished with null -> () | _ -> counts.Add(settledTensors ()) }
            learner.Run(null, count)
            neverRises counts)
        test "a setting out of its range is named in the error" {
            for wrong, name in
                [ PretrainingSettings(Epochs = 0), "training.epochs"
                  PretrainingSettings(MaskedShare = 1.0), "training.masked_share"
                  PretrainingSettings(LargestCluster = 2), "training.largest_cluster"
                  PretrainingSettings(ValidateEvery = 0), "training.validate_every"
                  PretrainingSettings(Precision = "fp8"), "training.precision" ] do
                Expect.stringContains (messageOf (fun () -> wrong.Check(); null)) name name
        }
    ]

let private runs =
    let trial () =
        PretrainingTrial(
            Data = [ (birds.Force()).Root ], Model = "ssamba_test_tiny", Features = fbank, FrontEnd = "ssamba-fbank", Fold = Nullable 0,
            Training = PretrainingSettings(Epochs = 2, BatchSize = 4, WindowSeconds = 2.0, SecondsPerWindow = 4.0))
    testList "runs" [
        test "a pretraining leaves its record, epochs and weights, is read back, and a training starts from its folder" {
            let store, phases = ExperimentTests.freshStore (), ResizeArray()
            let listen = { new IProgress<PretrainingEvent> with member _.Report e = phases.Add e.Phase }
            let runner = PretrainingRunner store
            let record = runner.Run(trial (), listen)
            let folder = runner.FolderOf record
            Expect.equal (Directory.GetFiles folder |> Array.map Path.GetFileName |> Set.ofArray) (set [ "run.json"; "epochs.csv"; "sittings.csv"; "weights.safetensors" ]) "files"
            Expect.isTrue ((Path.GetFileName folder |> nonNull).StartsWith "ssamba_test_tiny.pretraining.s1-") folder
            Expect.equal (File.ReadAllLines (Path.Combine(folder, "epochs.csv"))).Length 3 "a line per epoch and the heads"
            Expect.equal record.Model.Patches 24L "patches"
            Expect.equal record.Model.Hidden 14 "300 of 512"
            Expect.isEmpty (store.Ablations()) "it is no ablation"
            phases.Clear()
            let again = runner.Run(trial (), listen)
            Expect.equal (List.ofSeq phases) [ RunPhase.ReadBack ] "read back"
            Expect.equal again.Validation record.Validation "the same figures"
            Expect.notEqual (runner.Run(PretrainingTrial(Data = trial().Data, Model = "ssamba_test_tiny", Features = fbank, FrontEnd = "ssamba-fbank", Fold = Nullable 0, Seed = 2, Training = trial().Training))).Name record.Name "another seed"

            let notes = ResizeArray()
            let hear = { new IProgress<RunEvent> with member _.Report e = if e.Phase = RunPhase.Loaded then notes.Add e.Note }
            let tuned (source: string) =
                Trial(
                    Data = (birds.Force()).Root, Model = "ssamba_test_tiny", FrontEnd = "ssamba-fbank", Features = fbank, Fold = Nullable 0,
                    Training = TrainingSettings(Budget = Budget.OfEpochs 1, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, Pretrained = source))
            let run = TrialRunner(store).Run("a", tuned folder, hear)
            Expect.stringContains (nonNull (Seq.exactlyOne notes)) "adapted: v.pos_embed from a grid of 2 x 12 patches to 2 x 19" "the report"
            Expect.isTrue run.Scores["focal"].Map.HasValue "scores"
            Expect.throwsT<FileNotFoundException> (fun () -> TrialRunner(store).Run("a", tuned (store.Root)) |> ignore) "a folder without weights"
        }
        test "settings of a pretraining are changed by name, and an unknown name lists near ones" {
            let change (text: string) = TrialSettings.Set(trial (), text)
            Expect.equal (change "masked_share=0.5").Training.MaskedShare 0.5 "share"
            Expect.equal (nonNull (change "features.fbank.bins=64").Features).Fbank.Bins 64 "front-end"
            Expect.isNull (TrialSettings.Set(PretrainingTrial(), "seed=3")).Features "the catalogue's front-end stays"
            Expect.stringContains (messageOf (fun () -> change "masked_shar=0.5")) "training.masked_share" "near"
        }
        test "a model that cannot be pretrained is refused with those that can" {
            let message = messageOf (fun () -> PretrainingRunner(ExperimentTests.freshStore ()).Run(PretrainingTrial(Model = "ssamba_tny")))
            Expect.stringContains message "ssamba_tiny" "near names"
        }
        test "the command line pretrains and says how to go on" {
            let results = Scratch.path "pretrain-cli"
            let args =
                [ "pretrain"; "ssamba_test_tiny"; "--data"; (birds.Force()).Root; "--epochs"; "1"; "--front-end"; "ssamba-fbank"; "--threads"; "2"
                  "--set"; "window_seconds=2"; "--set"; "features.fbank.bins=32"; "--set"; "features.fbank.target_frames=208"; "--set"; "batch_size=4" ]
            let code, output, error = CliTests.start results args |> CliTests.finish
            Expect.equal code 0 error
            Expect.stringContains output "epoch   1/1  InfoNCE" "the epoch"
            Expect.stringContains output "--set training.pretrained=" "the next step"
            let code, _, error = CliTests.start results [ "pretrain"; "tsresnet18" ] |> CliTests.finish
            Expect.notEqual code 0 "a model that cannot"
            Expect.stringContains error "ssamba_tiny" "those that can"
        }
    ]

let private frontEnd =
    testList "front-end" [
        torchTest "padding and masks hold what a raw zero becomes" (fun () ->
            for name, mean, std in [ "ssamba-fbank", -6.6268077, 5.358466; "ssamba-fbank-10s", -4.2677393, 4.5689974 ] do
                use front = FrontEnds.Create(name: string)
                let zero = -mean / (2.0 * std)
                Expect.floatClose Accuracy.high front.MaskedValue zero name
                let features = front.forward (sound 2 16000)
                let padding = features.narrow(3L, 98L, 20L).to_type torch.float64
                Expect.isTrue ((padding - torch.tensor zero).abs().max().item<float> () < 1e-6) "padding after the 98 frames of a second"
                let counts = AugmentationCounts()
                let masked = SpecAugment(SpecAugmentSettings(FrequencyShare = 0.3, TimeMasks = 1, TimeShare = 0.3), front.MaskedValue).Apply(features, [| for row in 1 .. int features.shape[0] -> SampleKey(1L, 0, string row) |], counts)
                let changed = masked.ne features
                Expect.isTrue (changed.any().item<bool> ()) "something is masked"
                let filled = masked.masked_select(changed).to_type torch.float64
                Expect.isTrue ((filled - torch.tensor zero).abs().max().item<float> () < 1e-6) "every masked cell")
        torchTest "masks of other front-ends hold zero" (fun () ->
            use front = FrontEnds.Create "mel-64"
            Expect.equal front.MaskedValue 0.0 "the mean of normalised features")
    ]

let tests =
    testSequencedGroup "torch" (testList "Pretraining" [ data; training; runs; frontEnd ])
