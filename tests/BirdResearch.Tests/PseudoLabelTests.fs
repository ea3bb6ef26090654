/// Rounds of training on labels that models gave.
module BirdResearch.Tests.PseudoLabelTests

open System
open System.IO
open System.Threading
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Metrics
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private windows = [| for i in 0..3 -> Clip(Id = $"w{i}", File = $"w{i}.wav", Labels = [||], Group = $"w{i}") |]

let private scores (values: float list list) =
    Scores("unlabelled", [| for w in windows -> w.Id |], [| "a"; "b"; "c" |], Array.zeroCreate 12, Array.ofList (List.concat values))

/// Two members: one hears a in the first and third window and b in the third, the other a in the first and c in the second.
let private members =
    [| scores [ [ 0.9; 0.1; 0.2 ]; [ 0.4; 0.3; 0.6 ]; [ 0.5; 0.7; 0.0 ]; [ 0.1; 0.2; 0.3 ] ]
       scores [ [ 0.7; 0.2; 0.2 ]; [ 0.2; 0.1; 0.8 ]; [ 0.5; 0.3; 0.0 ]; [ 0.1; 0.4; 0.1 ] ] |]

let private given (settings: PseudoLabelSettings) threshold =
    [ for label in PseudoLabel.Of(windows, members, settings, threshold) ->
          label.Window.Id, List.ofSeq label.Window.Labels, (match label.Window.Targets with null -> [] | t -> [ for v in t -> MathF.Round(v, 3) ]), label.Members ]

let private settings budget (pseudo: PseudoLabelSettings) =
    TrainingSettings(Budget = budget, BatchSize = 4, WindowSeconds = 2.5, EvaluationWindows = 1, LearningRate = 3e-3, PseudoLabels = pseudo)

let private training (settings: TrainingSettings) seed =
    let data = DomainShiftTests.data.Force()
    let frontEnd = FrontEnds.Create(FrontEnds.Named "mel-64")
    let create seed = Classifiers.Create("tsresnet_tiny", data.Classes.Count, TrialRunner.ShapeOf(frontEnd, settings.WindowSeconds), ModelOptions(Seed = Nullable seed))
    let reader = WindowReader(data, frontEnd.SampleRate, settings.WindowSeconds)
    SelfTraining(frontEnd, create, reader, data, Splits.Of(data, Nullable()), settings, seed), create seed

let private run settings =
    let training, model = training settings 4
    training.Run model
    training, model

let private outcome (training: SelfTraining) model =
    TrainingTests.bits model,
    [ for r in training.Rows -> r.Epoch, r.Clips, r.LearningRate, r.TrainLoss, r.FocalMap ],
    [ for r in training.Rounds -> r.Round, r.Members, r.Windows, r.Kept, r.Highest, List.ofSeq r.PerClass, r.FirstEpoch ],
    [ for struct (round, l) in training.Labels -> round, l.Window.Id, List.ofSeq l.Window.Labels, l.Score, l.Members ],
    training.Kept, training.Steps

let private folder name = Scratch.folder $"pseudo-{name}"

/// Thresholds that some windows of an untrained ear reach.
let private easy = 0.2

let private ways =
    [ "two rounds that go on", PseudoLabelSettings(Rounds = 2, Threshold = easy, LaterThreshold = Nullable 0.3)
      "two members that begin afresh", PseudoLabelSettings(Rounds = 1, Threshold = easy, Members = 2, Agree = 2, Afresh = true, Soft = false) ]

let tests =
    testSequencedGroup "torch"
    <| testList "Pseudo-labels" [
        test "a window is kept where enough members hear a class, with the mean of their scores or a yes for each" {
            let soft = PseudoLabelSettings(Members = 2)
            Expect.equal (given soft 0.5)
                [ "w0", [ "a" ], [ 0.8f; 0.15f; 0.2f ], 2
                  "w1", [ "c" ], [ 0.3f; 0.2f; 0.7f ], 2
                  "w2", [ "a"; "b" ], [ 0.5f; 0.5f; 0.0f ], 2 ] "one member is enough"
            Expect.equal (given (PseudoLabelSettings(Members = 2, Agree = 2, Soft = false)) 0.5)
                [ "w0", [ "a" ], [], 2; "w1", [ "c" ], [], 2; "w2", [ "a" ], [], 2 ] "both must hear it"
            Expect.equal (given (PseudoLabelSettings(Members = 2, Agree = 2)) 0.65) [ "w0", [ "a" ], [ 0.8f; 0.15f; 0.2f ], 2 ] "a higher threshold"
            Expect.isEmpty (given soft 0.95) "nobody is that sure"
        }
        test "targets of a model are learned in place of labels, and rows beside it keep theirs" {
            let soft = Clip(Id = "s", File = "s.wav", Labels = [| "b" |], Group = "s", Targets = [| 0.25f; 0.5f; 0.0f |])
            let plain = Clip(Id = "p", File = "p.wav", Labels = [| "a" |], SecondaryLabels = [| "c" |], Group = "p")
            for rule, want, weights in
                [ SecondaryLabelRule.Half, [| 0.25f; 0.5f; 0.0f; 1.0f; 0.0f; 0.5f |], None
                  SecondaryLabelRule.Mask, [| 0.25f; 0.5f; 0.0f; 1.0f; 0.0f; 0.0f |], Some [| 1.0f; 1.0f; 1.0f; 1.0f; 1.0f; 0.0f |] ] do
                let struct (labels, given) = LabelRule([| soft; plain |], [| "a"; "b"; "c" |], rule).Of [| soft; plain |]
                Expect.equal labels want "labels"
                Expect.equal (Option.ofObj given) weights "weights"
        }
        test "an epoch stays as long as it was: pseudo-labelled windows take the place of recordings, none twice" {
            let clips prefix count = [| for i in 1..count -> Clip(Id = $"{prefix}{i}", File = "f", Labels = [||], Group = "g") |]
            let labelled = clips "l" 20
            for pseudo, share, want in [ 100, 0.25, 5; 3, 0.25, 3; 0, 0.25, 0; 40, 0.5, 10 ] do
                let epochs = EpochClips(labelled, clips "p" pseudo, share, 1L)
                let ids = [ for epoch in 0..9 -> [ for c in epochs.Of epoch -> c.Id ] ]
                for epoch in ids do
                    Expect.equal epoch.Length 20 "clips"
                    Expect.equal (List.distinct epoch).Length 20 "none twice"
                    Expect.equal (epoch |> List.filter _.StartsWith("p") |> List.length) want "pseudo-labelled"
                Expect.equal ids [ for epoch in 0..9 -> [ for c in epochs.Of epoch -> c.Id ] ] "drawn again"
                if want > 3 then Expect.equal (List.distinct ids).Length 10 "other ones each epoch"
        }
        test "a budget pays for all rounds together, in equal parts, whatever its unit" {
            use _ = torch.NewDisposeScope()
            let spent budget =
                let training, _ = run (settings budget (PseudoLabelSettings(Rounds = 1, Threshold = easy, Members = 2)))
                [ for r in training.Rows -> r.Epoch, r.Clips ], training.Rounds[0]
            let train = (Splits.Of(DomainShiftTests.data.Force(), Nullable())).Train.Count
            let epochs, round = spent (Budget.OfEpochs 4)
            Expect.equal (epochs |> List.sumBy snd) (int64 (4 * train)) "clips of four epochs"
            Expect.equal (List.map fst epochs) [ 1 .. epochs.Length ] "epochs are counted on"
            Expect.isGreaterThan round.Kept 0 "something was kept"
            let firstOfLast = round.FirstEpoch
            let part = epochs |> List.filter (fun (e, _) -> e >= firstOfLast) |> List.sumBy snd
            Expect.isLessThanOrEqual (abs (part - int64 (4 * train) / 3L)) 1L "the last of three parts"
            let clips, _ = spent (Budget.OfClips 31L)
            Expect.isTrue (clips |> List.sumBy snd |> fun sum -> sum <= 31L && sum >= 28L) "clips, but for one a training that would be left alone in an epoch"
            Expect.stringContains (messageOf (fun () -> run (settings (Budget.OfClips 5L) (PseudoLabelSettings(Rounds = 2, Members = 2))))) "training.budget is 5 clips, which 5 trainings" "too small"
        }
        for name, pseudo in ways do
            test $"training with {name} goes on to the same bits after a stop in any of its trainings" {
                use _ = torch.NewDisposeScope()
                let settings = settings (Budget.OfEpochs 4) pseudo
                let whole, wholeModel = run settings
                Expect.isTrue (whole.Rounds |> Seq.exists (fun r -> r.Kept > 0)) "something was kept"
                let epochs = whole.Rows.Count
                for stop in [ 1; epochs / 2; epochs ] do
                    let checkpoint = Path.Combine(folder $"{name}-{stop}", "checkpoint.safetensors")
                    let stopped, model = training settings 4
                    use source = new CancellationTokenSource()
                    let seen = ref 0
                    let listen =
                        { new IProgress<TrainingProgress> with
                            member _.Report p =
                                p |> TrainingTests.afterEpoch (fun _ ->
                                    seen.Value <- seen.Value + 1
                                    if seen.Value = stop then source.Cancel()) }
                    try stopped.Run(model, checkpoint, listen, null, source.Token) with :? OperationCanceledException -> ()
                    Expect.equal seen.Value stop "stopped there"
                    let resumed, model = training settings 4
                    resumed.Run(model, checkpoint)
                    Expect.equal (outcome resumed model) (outcome whole wholeModel) $"after stopping at epoch {stop} of {epochs}"
            }
        test "without rounds it is the trainer, to the bit" {
            use _ = torch.NewDisposeScope()
            let settings = settings (Budget.OfEpochs 2) (PseudoLabelSettings())
            let _, model = run settings
            let data = DomainShiftTests.data.Force()
            let frontEnd = FrontEnds.Create(FrontEnds.Named "mel-64")
            let alone = Classifiers.Create("tsresnet_tiny", data.Classes.Count, TrialRunner.ShapeOf(frontEnd, 2.5), ModelOptions(Seed = Nullable 4))
            let reader = WindowReader(data, frontEnd.SampleRate, 2.5)
            Trainer(frontEnd, alone, reader, data, Splits.Of(data, Nullable()), settings, 4).Run()
            Expect.equal (TrainingTests.bits model) (TrainingTests.bits alone) "weights"
        }
        test "a run says what each round kept, in its record, its table and a note; where nothing is, it goes on with the labels" {
            let store = ExperimentTests.freshStore ()
            let events = ResizeArray()
            let run pseudo =
                events.Clear()
                let trial =
                    Trial(Data = (DomainShiftTests.data.Force()).Root, Model = "tsresnet_tiny", FrontEnd = "mel-64", Training = settings (Budget.OfEpochs 4) pseudo)
                let record = TrialRunner(store).Run("a", trial, ExperimentTests.phases events)
                let folder = store.FolderOf("a", record.Name)
                Expect.isEmpty (Directory.GetFiles(folder, "checkpoint*")) "checkpoints are gone"
                record, nonNull record.PseudoLabels, File.ReadAllLines(Path.Combine(folder, "pseudo_labels.csv"))
            let record, rounds, table = run (PseudoLabelSettings(Rounds = 1, Threshold = easy))
            Expect.equal rounds[0].Windows 12 "scored"
            Expect.isGreaterThan rounds[0].Kept 0 "kept"
            Expect.equal (Seq.sum rounds[0].PerClass.Values) rounds[0].Kept "by class"
            Expect.equal table.Length (rounds[0].Kept + 1) "lines"
            Expect.equal table[0] "round,file,start_seconds,score,members,label" "header"
            Expect.equal record.Cost.Clips (4L * int64 record.Data.TrainRecordings) "clips of all rounds"
            let _, none, table = run (PseudoLabelSettings(Rounds = 2, Threshold = 0.9999))
            Expect.equal [ for r in none -> r.Kept ] [ 0; 0 ] "nothing"
            Expect.equal table.Length 1 "header"
            Expect.exists events (fun e -> (Option.ofObj e.Note |> Option.defaultValue "").StartsWith "round 1 kept 0 of 12 windows") "said"
            Expect.isTrue (File.Exists(Path.Combine(store.FolderOf("a", record.Name), "run.json"))) "read back"
            Expect.equal (nonNull (nonNull (store.Find("a", record.Name))).PseudoLabels).Count 1 "from the record"
        }
        test "live tensors are flat over trainings" {
            use _ = torch.NewDisposeScope()
            let data = DomainShiftTests.data.Force()
            use frontEnd = FrontEnds.Create(FrontEnds.Named "mel-64")
            use model = Classifiers.Create("tsresnet_tiny", data.Classes.Count, TrialRunner.ShapeOf(frontEnd, 2.5), ModelOptions(Seed = Nullable 4))
            let reader = WindowReader(data, frontEnd.SampleRate, 2.5)
            let once () =
                let settings = settings (Budget.OfEpochs 3) (PseudoLabelSettings(Rounds = 2, Threshold = easy))
                SelfTraining(frontEnd, (fun _ -> model), reader, data, Splits.Of(data, Nullable()), settings, 4).Run model
                settledTensors ()
            let counts = [ for _ in 1..3 -> once () ]
            neverRises counts
        }
        test "settings out of their range, and data without unlabelled soundscapes, are named in the error" {
            for pseudo, name in
                [ PseudoLabelSettings(Rounds = 4), "rounds"
                  PseudoLabelSettings(Threshold = 0.0), "threshold"
                  PseudoLabelSettings(LaterThreshold = Nullable 1.5), "later_threshold"
                  PseudoLabelSettings(Share = 1.0), "share"
                  PseudoLabelSettings(Members = 0), "members"
                  PseudoLabelSettings(Members = 2, Agree = 3), "agree"
                  PseudoLabelSettings(Windows = 0), "windows" ] do
                Expect.stringContains (messageOf (fun () -> (settings (Budget.OfEpochs 2) pseudo).Check())) $"training.pseudo_labels.{name}" "the setting's name"
            let all = TrainingSettings(PseudoLabels = PseudoLabelSettings(Rounds = 1), Sampling = SamplingSettings(Window = WindowChoice.All))
            Expect.stringContains (messageOf all.Check) "training.sampling" "what cannot be combined"
            let none = Trial(Data = (TrainingTests.tinyData.Force()).Root, Model = "tsresnet_tiny", FrontEnd = "mel-64", Training = settings (Budget.OfEpochs 2) (PseudoLabelSettings(Rounds = 1)))
            Expect.stringContains (messageOf (fun () -> TrialRunner(ExperimentTests.freshStore ()).Complete none)) "has no soundscapes without labels" "the data set"
        }
    ]
