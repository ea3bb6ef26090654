module BirdResearch.Tests.ExperimentTests

open System
open System.IO
open System.Threading
open Expecto
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Models
open BirdResearch.Training

let trial =
    lazy
        Trial (
            Data = (TrainingTests.tinyData.Force ()).Root,
            Model = "tsresnet_tiny",
            FrontEnd = "mel-64",
            Training = TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 2)
        )

let freshStore () = RunStore (Scratch.fresh ())

let phases (events: ResizeArray<RunEvent>) =
    { new IProgress<RunEvent> with
        member _.Report e = events.Add e }

let seen phase (events: seq<RunEvent>) = events |> Seq.exists (fun e -> e.Phase = phase)

let tests =
    testSequencedGroup "torch"
    <| testList "Experiments" [
        test "every trial of every ablation names a model and a front-end that exist" {
            for ablation in Ablations.All do
                for trial in ablation.Trials do
                    Classifiers.Named trial.Model |> ignore
                    FrontEnds.Named trial.FrontEnd |> ignore
        }

        test "arms are picked by their labels, each for every model, and an unknown one is told with those that are near" {
            let picked = Ablations.Regularisation.WithArms [ "all"; "none" ]
            let models = List.distinct [ for t in Ablations.Regularisation.Trials -> t.Model ]
            Expect.equal [ for t in picked.Trials -> t.Label, t.Model ] [ for label in [ "all"; "none" ] do for model in models -> label, model ] "the cells"
            Expect.equal (Ablations.Budgets.WithArms []) Ablations.Budgets "none picked, all there"
            let message = Tensors.messageOf (fun () -> Ablations.DomainShift.WithArms [ "baseline"; "AdBN" ])
            Expect.equal message "There is no arm of domain-shift 'AdBN'. Did you mean AdaBN?" "the message"
        }

        test "the front-end that a model is made for exists and has a shape that the model takes" {
            for entry in Classifiers.All do
                use frontEnd = FrontEnds.Create entry.FrontEnd
                Expect.equal (FrontEnds.Named(entry.FrontEnd).Kind = "waveform") entry.ReadsSound entry.Name
                if entry.IsTest then
                    use model = Classifiers.Create (entry.Name, 3, TrialRunner.ShapeOf (frontEnd, 1.0))
                    Expect.equal model.Classes 3 entry.Name
        }

        test "raw sound trains, is augmented, scored and shown like any other features" {
            let store = freshStore ()
            let training =
                TrainingSettings (
                    Budget = Budget.OfEpochs 2, BatchSize = 4, WindowSeconds = 1.0, EvaluationWindows = 2, DropPathRate = 0.1,
                    Augmentation = AugmentationSettings (Mixup = MixupSettings (Probability = 1.0), TimeShift = TimeShiftSettings (Probability = 1.0)))
            let run = TrialRunner(store).Run ("a", Trial (Data = trial.Value.Data, Model = "mamba_raw_tiny", FrontEnd = "waveform-16k", Training = training))
            Expect.equal run.Augmentations[Mixup.Name].Applied run.Cost.Clips "every clip was mixed, and the record says so"
            Expect.equal (run.Model.Rows, run.Model.Frames) (1L, 16000L) "features"
            let examples = File.ReadAllText (Path.Combine (store.FolderOf ("a", run.Name), "examples", "examples.json"))
            use document = System.Text.Json.JsonDocument.Parse examples
            for example in document.RootElement.EnumerateArray () do
                Expect.equal (example.GetProperty("spectrogram").GetProperty("rows").GetInt32 ()) 128 "examples show the mel spectrogram"
        }

        test "a run leaves its record, tables, scores, weights and examples, and is read back the second time" {
            let store, events = freshStore (), ResizeArray ()
            let first = TrialRunner(store).Run ("a", trial.Value, phases events)
            let folder = store.FolderOf ("a", first.Name)
            for file in [ "run.json"; "epochs.csv"; "classes.csv"; "scores.train.csv"; "scores.focal.csv"; "scores.soundscape.csv"; "weights.safetensors"; "examples/examples.json" ] do
                Expect.isTrue (File.Exists (Path.Combine (folder, file))) file
            Expect.isFalse (File.Exists (Path.Combine (folder, "checkpoint.safetensors"))) "the checkpoint is gone"
            Expect.isFalse (Directory.Exists (store.PartialFolderOf ("a", first.Name))) "the partial folder is gone"
            events.Clear ()
            let second = TrialRunner(store).Run ("a", trial.Value, phases events)
            Expect.isTrue (seen RunPhase.ReadBack events && not (seen RunPhase.Training events)) "read back, not trained"
            Expect.equal second.Scores["focal"] first.Scores["focal"] "the same scores"
            Expect.equal first.Data.Classes 3 "classes"
        }

        test "a run stopped by its user goes on from the last whole epoch to the same scores" {
            let undisturbed = TrialRunner(freshStore ()).Run ("a", trial.Value)
            let store = freshStore ()
            use source = new CancellationTokenSource ()
            let stop =
                { new IProgress<RunEvent> with
                    member _.Report e =
                        TrainingTests.afterEpoch (fun row -> if row.Epoch = 2 then source.Cancel ()) e.Training }
            Expect.throwsT<OperationCanceledException> (fun () -> TrialRunner(store).Run ("a", trial.Value, stop, source.Token) |> ignore) "stopped"
            Expect.isEmpty (store.Runs "a") "no finished run yet"
            let events = ResizeArray ()
            let finished = TrialRunner(store).Run ("a", trial.Value, phases events)
            Expect.isTrue (events |> Seq.exists (fun e -> e.Note = "goes on from its last whole epoch")) "it went on"
            for domain in [ "train"; "focal"; "soundscape" ] do
                Expect.equal finished.Scores[domain] undisturbed.Scores[domain] domain
        }

        test "a run's name changes with any setting and not with the place of its data" {
            let runner = TrialRunner (freshStore ())
            let name (t: Trial) =
                let complete = runner.Complete t
                RunStore.NameOf (complete, runner.Open t.Data)
            let copy = (trial.Value.Data.TrimEnd '/') + "-copy/training"
            TinyBirds.copy trial.Value.Data copy
            let names =
                [ for change in [ "seed=2"; "training.budget=4 epochs"; "features.mel.hop=900"; "drop_rate=0.2"; "model=tsresnet18" ] ->
                      name (TrialSettings.Set (trial.Value, change)) ]
            Expect.equal (name (TrialSettings.Set (trial.Value, $"data={copy}"))) (name trial.Value) "moved data"
            Expect.equal (List.distinct (name trial.Value :: names) |> List.length) (names.Length + 1) "each setting counts"
        }

        test "a run is known by what differs from the defaults, whatever its arm is called" {
            let hash (t: Trial) = RunIdentity.HashOf (t, "key", null, 5, null)
            let features = FrontEnds.Named "mel-64"
            let plain = hash (Trial (FrontEnd = "mel-64", Features = features))
            Expect.equal (hash (Trial (FrontEnd = "mel-64", Features = features, Label = "mine", Training = TrainingSettings (Budget = Budget.OfEpochs 60)))) plain "a default written out"
            Expect.notEqual (hash (Trial (FrontEnd = "mel-64", Features = features, Training = TrainingSettings (Budget = Budget.OfEpochs 61)))) plain "a setting"
            Expect.notEqual (hash (Trial (FrontEnd = "mel-64", Features = FrontEnds.Named "mel"))) plain "a number of the front-end"
            Expect.notEqual (RunIdentity.HashOf (Trial (FrontEnd = "mel-64", Features = features), "key", null, 6, null)) plain "the recipe"
            Expect.notEqual (RunIdentity.HashOf (Trial (FrontEnd = "mel-64", Features = features), "other", null, 5, null)) plain "the data"
            Expect.notEqual (RunIdentity.HashOf (Trial (FrontEnd = "mel-64", Features = features), "key", null, 5, "w")) plain "weights to start from"
            Expect.notEqual (RunIdentity.HashOf (Trial (FrontEnd = "mel-64", Features = features), "key", "u", 5, null)) plain "sound without labels"
        }

        test "any setting can be changed by its path or its last word" {
            let t = TrialSettings.Set (Trial (), "training.learning_rate=3e-4")
            Expect.equal t.Training.LearningRate 3e-4 "by path"
            Expect.isNull t.Features "front-end numbers stay the catalogue's"
            Expect.equal (TrialSettings.Set (Trial (), "clip_norm=0")).Training.ClipNorm 0.0 "by last word"
            Expect.equal (nonNull (TrialSettings.Set (Trial (FrontEnd = "expand-and-sparsify"), "features.expansion.k=7")).Features).Expansion.K 7 "front-end"
            let message assignment = try TrialSettings.Set (Trial (), assignment) |> ignore; "" with :? ArgumentException as e -> e.Message
            Expect.stringContains (message "learning_rat=1") "training.learning_rate" "near names"
            Expect.stringContains (message "training.budget=many") "training.budget" "a bad value"
            Expect.stringContains (message "budget") "path=value" "no value"
        }

        test "a record that cannot be read is an error that names its file" {
            let store = freshStore ()
            let folder = Directory.CreateDirectory(store.FolderOf ("a", "broken")).FullName
            File.WriteAllText (Path.Combine (folder, "run.json"), "{ \"format\": ")
            let message = try store.Find ("a", "broken") |> ignore; "" with :? InvalidDataException as e -> e.Message
            Expect.stringContains message "run.json" "the file"
        }
    ]
