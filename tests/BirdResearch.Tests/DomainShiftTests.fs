/// Batch norms brought to the soundscapes, against the formulas in float64 over what each norm really reads.
module BirdResearch.Tests.DomainShiftTests

open System
open System.IO
open System.Text.Json
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Metrics
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Analysis
open BirdResearch.Tests.Tensors

let data =
    lazy
        (let folder = Scratch.path "domain-shift"
         let settings = SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 4, Soundscapes = 3, SoundscapeSeconds = 15, UnlabelledSoundscapes = 3)
         SyntheticBirds.Write(folder, settings, null, Threading.CancellationToken.None)
         Datasets.Open folder)

/// The tiny members of the families that have batch norms.
let private withNorms = [ for entry in Classifiers.All do if entry.IsTest && entry.HasBatchNorm then entry.Name ]

let private create (name: string) = Classifiers.Create(name, 3, ModelsTests.shapeOf name, ModelOptions(Seed = Nullable 1))

let private norms (model: Classifier) = [ for m in model.modules () do match box m with :? BatchNormAct as norm -> norm | _ -> () ]

let private running (norm: BatchNormAct) = numbers norm.Running[0], numbers norm.Running[1]

/// Mean and variance of every channel (C), in float64.
let private moments (x: torch.Tensor) (unbiased: bool) =
    let channels = x.``to``(torch.float64).transpose(0L, 1L).reshape (x.shape[1], -1L)
    let mean = channels.mean ([| 1L |], true)
    let squares = (channels - mean).square().sum 1L
    numbers mean, numbers squares |> Array.map (fun s -> s / float (if unbiased then channels.shape[1] - 1L else channels.shape[1]))

let private weighed (a: float) (x: float[]) (b: float) (y: float[]) = Array.map2 (fun x y -> a * x + b * y) x y

let private distance (want: float[]) got = widest want got / (want |> Array.map abs |> Array.max |> max 1e-3)

/// Running statistics that are nobody's, so that a norm which is passed over shows.
let private unsettle (model: Classifier) =
    for norm in norms model do
        norm.Running[0].copy_ (torch.randn_like norm.Running[0]) |> ignore
        norm.Running[1].copy_ ((torch.rand_like norm.Running[1]).add_ (torch.tensor 0.5f)) |> ignore

let private trial (adaptation: AdaptationSettings) =
    Trial(
        Data = (data.Force()).Root, Model = "tsresnet_tiny", FrontEnd = "mel-64",
        Training = TrainingSettings(Budget = Budget.OfEpochs 2, BatchSize = 4, WindowSeconds = 2.5, EvaluationWindows = 2, Adaptation = adaptation))

let private unlabelled, perRecording = AdaptationSettings(Norms = AdaptedNorms.Unlabelled, Windows = 10), AdaptationSettings(Norms = AdaptedNorms.Batch, PriorWindows = 4.0)

let private splitOf (data: Dataset) = Splits.Of(data, Nullable())

/// An untrained model over the data, with what adapts it.
let private adapter (settings: AdaptationSettings) =
    let data = data.Force()
    let frontEnd = FrontEnds.Create(FrontEnds.Named "mel-64")
    let model = Classifiers.Create("tsresnet_tiny", data.Classes.Count, TrialRunner.ShapeOf(frontEnd, 2.5), ModelOptions(Seed = Nullable 1))
    let reader = WindowReader(data, frontEnd.SampleRate, 2.5)
    NormAdapter(TrainingSettings(BatchSize = 4, Adaptation = settings), frontEnd, model, reader, data, splitOf data, 1), model, reader

let private bce = lazy (Loss.Named("bce", Labelling.MultiLabel))

let private scored (adapter: NormAdapter) (clips: Clip seq) = (adapter.Evaluate(bce.Value, Array.ofSeq clips, "soundscape")).Scores

let tests =
    testSequencedGroup "torch"
    <| testList "Domain shift" [
        test "the catalogue says rightly which families have batch norms" {
            use _ = torch.NewDisposeScope()
            for entry in Classifiers.All do
                if entry.IsTest then
                    use model = create entry.Name
                    Expect.equal entry.HasBatchNorm (NormStatistics(model).Norms > 0) entry.Name
            Expect.isTrue (Set.isSubset (Set.ofSeq ClassifierEntry.BatchNormFamilies) (set [ for entry in Classifiers.All -> entry.Family ])) "families"
        }
        for name in withNorms do
            torchTest $"estimating {name}'s statistics gives the mean over batches of what each norm read, by clips, and changes nothing else" (fun () ->
                use _ = torch.no_grad ()
                use model = create name
                unsettle model
                let weights () = [ for struct (key, p) in model.named_parameters () -> key, p.bytes.ToArray() ], [ for n in norms model -> n.Running[2].item<int64>() ]
                let before = weights ()
                let sums = Collections.Generic.Dictionary<BatchNormAct, float[] * float[]>(HashIdentity.Reference)
                let hooks =
                    [ for norm in norms model ->
                          norm.register_forward_pre_hook (fun _ x ->
                              let mean, variance = moments x true
                              let a, b = match sums.TryGetValue norm with | true, found -> found | _ -> Array.zeroCreate mean.Length, Array.zeroCreate mean.Length
                              sums[norm] <- (weighed 1.0 a (float x.shape[0]) mean, weighed 1.0 b (float x.shape[0]) variance)
                              x) ]
                model.eval ()
                let batches = [ ModelsTests.featuresOf name 4; torch.randn_like(ModelsTests.featuresOf name 4); (ModelsTests.featuresOf name 3).neg () ]
                Expect.equal (NormStatistics(model).Estimate(batches, id)) 11L "clips"
                for hook in hooks do hook.remove ()
                for norm in norms model do
                    let mean, variance = running norm
                    let wantMean, wantVariance = sums[norm]
                    let spread = wantVariance |> Array.max |> fun s -> sqrt (s / 11.0) |> max 1e-3
                    Expect.isLessThan (widest (wantMean |> Array.map (fun s -> s / 11.0)) mean / spread) 1e-4 "mean"
                    Expect.isLessThan (distance (wantVariance |> Array.map (fun s -> s / 11.0)) variance) 1e-4 "variance"
                Expect.equal (weights ()) before "weights and counters"
                Expect.isFalse (model.training || (norms model |> List.exists _.training)) "mode")
            torchTest $"{name} scored by a batch's own statistics normalises as Schneider et al. write, at every norm" (fun () ->
                use _ = torch.no_grad ()
                use model = create name
                unsettle model
                model.eval ()
                let x, seen, prior = ModelsTests.featuresOf name 6, ResizeArray(), 4.0
                let hooks =
                    [ for norm in norms model do
                          let input = ref [||]
                          norm.register_forward_pre_hook (fun _ x ->
                              let mean, variance = moments x false
                              let sourceMean, sourceVariance = running norm
                              let n = float x.shape[0]
                              let mean = weighed (prior / (prior + n)) sourceMean (n / (prior + n)) mean
                              let variance = weighed (prior / (prior + n)) sourceVariance (n / (prior + n)) variance
                              let wide (values: float[]) = torch.tensor(values)
                              let parameter key = [ for struct (k, p) in norm.named_parameters () do if k = key then p.``to`` torch.float64 ].Head
                              let y = torch.nn.functional.batch_norm (x.``to`` torch.float64, wide mean, wide variance, parameter "weight", parameter "bias", false, 0.1, norm.Epsilon)
                              input.Value <- numbers (Activations.Consume(norm.Activation, y))
                              x)
                          norm.register_forward_hook (fun _ _ y ->
                              seen.Add(distance input.Value (numbers y))
                              y) ]
                let statistics = NormStatistics model
                statistics.PriorClips <- Nullable prior
                let mixed = numbers (model.call x)
                for hook in hooks do hook.remove ()
                Expect.isGreaterThanOrEqual seen.Count (norms model).Length "every norm was seen"
                Expect.isLessThan (Seq.max seen) 1e-4 "largest relative difference"
                statistics.PriorClips <- Nullable()
                let plain = numbers (model.call x)
                statistics.PriorClips <- Nullable 1e8
                Expect.isLessThan (distance plain (numbers (model.call x))) 1e-4 "a source that weighs everything"
                Expect.isGreaterThan (distance plain mixed) 1e-2 "and it makes a difference here")
        test "windows of unlabelled soundscapes are spread over all of them, drawn alike each time, and none is tested on" {
            let data = data.Force()
            let reader = WindowReader(data, 16000, 2.5)
            let of' most seed = [ for clip in UnlabelledSoundscapes.Windows(data, splitOf data, reader, most, int64 seed) -> clip.Id ]
            Expect.equal (of' 100 1).Length 12 "three times 10 s"
            Expect.equal (List.sort (of' 100 1)) (List.sort (of' 100 2)) "all of them, whatever the seed"
            Expect.notEqual (of' 100 1) (of' 100 2) "in another order"
            Expect.equal (of' 100 1) (of' 100 1) "the same seed"
            let few = of' 3 1
            Expect.equal (few |> List.map (fun id -> id.Split('@')[0]) |> List.distinct |> List.length) 3 "one of each"
            for clip in UnlabelledSoundscapes.Windows(data, splitOf data, reader, 100, 1L) do
                Expect.equal (reader.LengthOf clip) (int64 reader.WindowSamples) "a window"
                Expect.equal (UnlabelledSoundscapes.FileOf clip.Id, UnlabelledSoundscapes.FileOf clip.File) (clip.File, clip.File) "its file"
            Expect.isEmpty (Set.intersect (set [ for c in data.Soundscapes -> c.File ]) (set [ for c in UnlabelledSoundscapes.Of(data, splitOf data) -> c.File ])) "files"
        }
        test "what is heard of a recording depends on that recording alone, and on how much of it is scored together" {
            use _ = torch.NewDisposeScope()
            let adapt, _, _ = adapter perRecording
            let clips = (data.Force()).Soundscapes
            let all = scored adapt clips
            Expect.equal adapt.Facts (AdaptationFacts("batch", 6, 3, 18, 0.0, "source")) "facts"
            let value (scores: Scores) id = let row = Seq.findIndex ((=) id) scores.Ids in (scores.Values.Slice(row * 3, 3)).ToArray()
            for recording in clips |> Seq.groupBy _.File |> Seq.map snd do
                let alone = scored adapt recording
                for clip in recording do Expect.equal (value alone clip.Id) (value all clip.Id) clip.Id
            let cut, _, _ = adapter (AdaptationSettings(Norms = AdaptedNorms.Batch, PriorWindows = 4.0, MostTogether = 2))
            Expect.notEqual ((scored cut clips).Values.ToArray()) (all.Values.ToArray()) "in parts"
            let plain, _, _ = adapter (AdaptationSettings())
            let before = scored plain clips
            Expect.notEqual (before.Values.ToArray()) (all.Values.ToArray()) "by training's statistics"
        }
        test "a run adapted to unlabelled soundscapes scores them anew, leaves train and focal, and saves what it adapted" {
            use _ = torch.NewDisposeScope()
            let store = ExperimentTests.freshStore ()
            let run settings = TrialRunner(store).Run("a", trial settings)
            let plain, adapted, batch = run (AdaptationSettings()), run unlabelled, run perRecording
            for other in [ adapted; batch ] do
                for domain in [ "train"; "focal" ] do Expect.equal other.Scores[domain] plain.Scores[domain] domain
            let values (record: RunRecord) = (RunFiles.ReadScores(store.FolderOf("a", record.Name), "soundscape")).Values.ToArray()
            Expect.notEqual (values adapted) (values plain) "unlabelled"
            Expect.notEqual (values batch) (values plain) "batch"
            Expect.notEqual (values batch) (values adapted) "and they differ"
            Expect.isNull plain.Adaptation "nothing was done"
            let facts = nonNull adapted.Adaptation
            Expect.equal (facts.Norms, facts.Layers, facts.Recordings, facts.Windows, facts.Weights) ("unlabelled", 6, 3, 10, "adapted") "facts"
            Expect.equal (nonNull batch.Adaptation).Weights "source" "facts"
            let rescored (record: RunRecord) =
                use opened = TrainedModel.Open(store.FolderOf("a", record.Name))
                let data = data.Force()
                let reader = WindowReader(data, opened.FrontEnd.SampleRate, 2.5)
                let evaluation = Evaluation.Of(opened.FrontEnd, opened.Model, bce.Value, reader, data.Classes, data.Soundscapes, "soundscape", 4, 2)
                evaluation.Scores.Values.ToArray()
            Expect.isLessThan (widest (rescored adapted) (values adapted)) 1e-6 "the saved weights score as the run did"
            Expect.isLessThan (widest (rescored batch) (values plain)) 1e-6 "those of the other arm are training's"
        }
        test "adapting and scoring leave as many live tensors as there were, and adapting twice the same statistics" {
            use _ = torch.NewDisposeScope()
            for settings in [ unlabelled; perRecording ] do
                let adapt, model, _ = adapter settings
                let counts =
                    [ for _ in 1..4 ->
                          adapt.Adapt()
                          scored adapt (data.Force()).Soundscapes |> ignore
                          settledTensors (), [ for struct (_, tensor) in StateDictionary.Of model -> tensor.bytes.ToArray() ] ]
                Expect.allEqual (List.map fst counts.Tail) (fst counts.Tail.Head) "live tensors"
                Expect.allEqual (List.map snd counts) (snd counts.Head) "statistics"
        }
        test "other sound without labels makes another run of those that hear it and of no other, and the earlier one is stale" {
            let root = (data.Force()).Root
            let more = Path.Combine(Scratch.path "more", nonNull (Path.GetFileName root))
            TinyBirds.copy root more
            let place = Path.Combine(more, "unlabeled_soundscapes")
            File.Copy(Directory.GetFiles(place)[0], Path.Combine(place, "one_more.ogg"))
            let runner = TrialRunner(ExperimentTests.freshStore ())
            let trial change root = TrialSettings.Set(Trial(Data = root, Model = "tsresnet_tiny", FrontEnd = "mel-64"), change)
            let name change root = RunStore.NameOf(runner.Complete(trial change root), runner.Open root)
            for change in
                [ "adaptation.norms=unlabelled"; "pseudo_labels.rounds=1"; "background.probability=0.5"; "features.band_matching=mean-and-deviation"
                  "no_call.share=0.2" ] do
                Expect.notEqual (name change more) (name change root) change
            for change in [ "training.learning_rate=1e-4"; "adaptation.norms=batch"; "background.source=training"; "background.source=unlabelled" ] do
                Expect.equal (name change more) (name change root) change
            let adapted root = trial "adaptation.norms=unlabelled" root |> fun t -> TrialSettings.Set(TrialSettings.Set(t, "training.budget=8 clips"), "batch_size=4")
            let store = ExperimentTests.freshStore ()
            let earlier, later = TrialRunner(store).Run("a", adapted root), TrialRunner(store).Run("a", adapted more)
            Expect.isNull (RunFreshness.WhyStale(store.FolderOf("a", earlier.Name), earlier)) "each by itself is as it was made"
            let problems = Ledger.check (Runs.load (store.AblationFolder "a"))
            Expect.equal [ for problem in problems -> problem.Run ] [ earlier.Name ] $"the earlier, not {later.Name}"
            Expect.stringContains problems.Head.Reason "other sound without labels" "why"
            let unknown = JsonSerializer.SerializeToNode(earlier, RunStore.Json) |> nonNull
            (unknown["data"] |> nonNull).AsObject().Remove "without_labels_key" |> ignore
            let before = unknown.Deserialize<RunRecord> RunStore.Json |> nonNull
            Expect.stringContains (RunFreshness.WhyStale(store.FolderOf("a", earlier.Name), before) |> nonNull) "does not say which" "a record of before"
        }
        test "secondary labels are learned as absent, unknown, half or present, from the table to the scores" {
            let root = Scratch.path "secondary"
            TinyBirds.copy (TrainingTests.tinyData.Force()).Root root
            let table = Path.Combine(root, "train_metadata.csv")
            let heard = (TrainingTests.tinyData.Force()).Classes[1]
            // Every recording of another species names this one as heard in the background.
            let lines = File.ReadAllLines table
            let marked (line: string) = if line.StartsWith(heard + ",") then line else Text.RegularExpressions.Regex(@",""?\[[^\]]*\]""?,").Replace(line, $",['{heard}'],", 1)
            File.WriteAllLines(table, [| yield lines[0]; for line in lines[1..] -> marked line |])
            let store = ExperimentTests.freshStore ()
            let score rule =
                let training =
                    TrainingSettings(
                        Budget = Budget.OfEpochs 20, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 1, LearningRate = 5e-3, EvaluateEvery = 20,
                        Augmentation = AugmentationSettings.Off)
                let trial = TrialSettings.Set(Trial(Data = root, Model = "tsresnet_tiny", FrontEnd = "mel-64", Training = training), $"training.sampling.secondary_labels={rule}")
                let record = TrialRunner(store).Run("a", trial)
                Expect.equal ((string record.Trial.Training.Sampling.SecondaryLabels).ToLowerInvariant()) rule "in the record"
                let scores = RunFiles.ReadScores(store.FolderOf("a", record.Name), "train")
                Seq.average [ for row in 0 .. scores.Ids.Count - 1 do if not (scores.Truth[row * 3 + 1]) then scores.Values[row * 3 + 1] ]
            let ignore, mask, half, full = score "ignore", score "mask", score "half", score "full"
            let all = $"ignore {ignore:F3}, half {half:F3}, full {full:F3}, mask {mask:F3}"
            Expect.isLessThan ignore 0.3 all
            Expect.floatClose { absolute = 0.1; relative = 0.0 } half 0.5 all
            Expect.isGreaterThan full 0.8 all
            Expect.isGreaterThan mask 0.6 all // only the recordings that hold it are learned
        }
        test "what a model or a data set does not have is named, with what has it" {
            let runner = TrialRunner(ExperimentTests.freshStore ())
            let complete (t: Trial) = messageOf (fun () -> runner.Complete t)
            let with' model data adaptation =
                Trial(Data = data, Model = model, FrontEnd = "mel-64", Training = TrainingSettings(Adaptation = adaptation))
            let nfnet = complete (with' "eca_nfnet_tiny" (data.Force()).Root unlabelled)
            Expect.stringContains nfnet "training.adaptation.norms is unlabelled, but eca_nfnet_tiny has no batch norm" "the model"
            Expect.stringContains nfnet "efficientnet" "what has"
            Expect.stringContains (complete (with' "tsresnet_tiny" (TrainingTests.tinyData.Force()).Root unlabelled)) "has no soundscapes without labels" "the data set"
            for settings, name in
                [ AdaptationSettings(Windows = 1), "training.adaptation.windows"
                  AdaptationSettings(PriorWindows = -1.0), "training.adaptation.prior_windows"
                  AdaptationSettings(MostTogether = 0), "training.adaptation.most_together" ] do
                Expect.stringContains (messageOf (fun () -> settings.Check())) name "the setting's name"
        }
    ]
