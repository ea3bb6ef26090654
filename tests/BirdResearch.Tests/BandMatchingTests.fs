module BirdResearch.Tests.BandMatchingTests

open System
open System.IO
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private mel = MelSettings(Mels = 20, Fft = 512, Hop = 250)

let private bare matching = FrontEndSettings(Kind = "mel", Mel = mel, Normalisation = Normalisation.None, BandMatching = matching)

/// Sound as another recorder hears another place: filtered, fainter, over another noise.
let private elsewhere (x: torch.Tensor) =
    let low = x.narrow(1, 1L, x.shape[1] - 1L) + x.narrow(1, 0L, x.shape[1] - 1L)
    low * torch.tensor 0.2f + torch.randn(low.shape) * torch.tensor 0.01f

/// Mean and standard deviation of every row over all clips and frames, by plain loops.
let private statistics (rows: int) (features: torch.Tensor) =
    let values, frames = numbers features, int (Array.last features.shape)
    [ for row in 0 .. rows - 1 ->
        let cells = [| for clip in 0 .. int features.shape[0] - 1 do yield! values[(clip * rows + row) * frames .. (clip * rows + row) * frames + frames - 1] |]
        let mean = Array.average cells
        mean, sqrt (cells |> Array.averageBy (fun v -> (v - mean) * (v - mean))) ]

/// Three species, and soundscapes without labels in which there is no clear song.
let private data =
    lazy
        (let folder = Scratch.path "band-matching"
         SyntheticBirds.Write(folder, SyntheticBirdsSettings(Species = 3, RecordingsPerSpecies = 4, Soundscapes = 1, SoundscapeSeconds = 15, UnlabelledSoundscapes = 2, NoCallRecordings = 2), null, Threading.CancellationToken.None)
         Datasets.Open folder)

let tests : Test =
    testSequencedGroup "torch" (testList "Band matching" [
        for matching in [ BandMatching.Mean; BandMatching.MeanAndDeviation ] do
            torchTest $"with {matching} the training's bands have the target's statistics, and the target's are as they were" (fun () ->
                torch.manual_seed 2L |> ignore
                let x = sound 6 20000
                let y = elsewhere x
                use plain = FrontEnds.Create(bare BandMatching.None)
                use matched = FrontEnds.Create(bare matching)
                Expect.isFalse matched.IsFitted "before"
                Expect.equal (numbers (matched.forward y)) (numbers (plain.forward y)) "a target needs no statistics"
                Expect.isTrue (try matched.OfTraining x |> ignore; false with :? InvalidOperationException -> true) "the training's sound does"
                // In two batches of unequal size on one side, in one on the other.
                matched.Fit([ x.narrow(0, 0L, 4L); x.narrow(0, 4L, 2L) ], [ y ])
                Expect.isTrue matched.IsFitted "after"
                Expect.equal (numbers (matched.forward x)) (numbers (plain.forward x)) "what is not the training's stays"
                let wanted, there = statistics 20 (plain.forward y), statistics 20 (plain.forward x)
                for row, ((mean, deviation), (before, plainDeviation)) in List.indexed (List.zip (statistics 20 (matched.OfTraining x)) there) do
                    Expect.isGreaterThan (abs (fst wanted[row] - before)) 1.0 "apart before"
                    Expect.isLessThan (abs (mean - fst wanted[row])) 1e-3 $"mean of row {row}"
                    let want = if matching = BandMatching.Mean then plainDeviation else snd wanted[row]
                    Expect.isLessThan (abs (deviation - want)) (1e-3 * want) $"deviation of row {row}")
        torchTest "only the rows of the training's domain are matched" (fun () ->
            let x = sound 4 20000
            use matched = FrontEnds.Create(bare BandMatching.MeanAndDeviation)
            matched.Fit([ x ], [ elsewhere x ])
            let mixed = matched.OfTraining(x, [| true; false; false; true |])
            let all, none = matched.OfTraining x, matched.forward x
            for clip, want in [ 0, all; 1, none; 2, none; 3, all ] do
                Expect.equal (numbers mixed[clip]) (numbers want[clip]) $"clip {clip}")
        torchTest "a row that hardly moves is not blown up, and nothing to learn from is an error" (fun () ->
            use matched = FrontEnds.Create(bare BandMatching.MeanAndDeviation)
            let x = sound 2 20000
            Expect.stringContains (messageOf (fun () -> matched.Fit([ x ], null))) "no unlabelled target sound" "no target"
            Expect.stringContains (messageOf (fun () -> matched.Fit([], [ x ]))) "no training sound" "no source"
            Expect.stringContains (messageOf (fun () -> matched.Fit([ x * torch.tensor nanf ], [ x ]))) "not finite" "NaN"
            matched.Fit([ torch.zeros(2L, 20000L) ], [ x ])
            Expect.isTrue (matched.OfTraining(torch.zeros(2L, 20000L)).isfinite().all().item<bool> ()) "silence")
        torchTest "a run's fitting takes training sound and soundscapes without labels, the same ones for a seed, and its file brings it back" (fun () ->
            let data = data.Force()
            let split = Splits.Of(data, Nullable())
            let settings = FrontEndSettings(Kind = "mel", Mel = mel, BandMatching = BandMatching.MeanAndDeviation, MatchClips = 24)
            let reader = WindowReader(data, 32000, 2.0)
            let fitted (seed: int) (file: string | null) =
                let frontEnd = FrontEnds.Create settings
                FrontEndFitting.Prepare(frontEnd, reader, data, split, seed, file)
                frontEnd
            let state (frontEnd: FrontEnd) = [ for KeyValue(name, value) in frontEnd.state_dict () -> name, numbers value ]
            let file = Path.Combine(data.Root, "..", "band-matching-front-end.safetensors")
            File.Delete file
            use first = fitted 1 file
            use again = fitted 1 null
            use other = fitted 2 null
            use read = FrontEnds.Create settings
            FrontEndFitting.Load(read, file)
            Expect.equal (state again) (state first) "the same seed"
            Expect.notEqual (state other) (state first) "another seed draws other windows"
            Expect.equal (state read) (state first) "from its file"
            Expect.equal (List.map fst (state first)) [ "matching.gain"; "matching.shift"; "matching.fitted" ] "its state")
        torchTest "scores of focal and training recordings go through the matching, those of soundscapes do not" (fun () ->
            let data = data.Force()
            let split = Splits.Of(data, Nullable())
            let reader = WindowReader(data, 32000, 2.0)
            let make matching =
                let frontEnd = FrontEnds.Create(FrontEndSettings(Kind = "mel", Mel = mel, BandMatching = matching, MatchClips = 24))
                FrontEndFitting.Prepare(frontEnd, reader, data, split, 1, null)
                frontEnd
            torch.manual_seed 5L |> ignore
            use plain = make BandMatching.None
            use matched = make BandMatching.MeanAndDeviation
            use model = Classifiers.Create("tsresnet_tiny", data.Classes.Count, TrialRunner.ShapeOf(plain, 2.0))
            let loss = Loss.Named("bce", data.Labelling)
            let scores (frontEnd: FrontEnd) (clips: Clip seq) domain =
                Evaluation.Of(frontEnd, model, loss, reader, data.Classes, Array.ofSeq clips, domain, 4, 2).Scores.Values.ToArray()
            Expect.equal (scores matched data.Soundscapes "soundscape") (scores plain data.Soundscapes "soundscape") "soundscapes"
            for domain, clips in [ "focal", split.Validation; "train", split.Train ] do
                Expect.notEqual (scores matched clips domain) (scores plain clips domain) domain)
        torchTest "a data set without unlabelled soundscapes, and a front-end without bands, are refused before anything is trained" (fun () ->
            let bare = TrainingTests.tinyData.Force()
            let runner = TrialRunner(RunStore(Path.GetTempPath()))
            let message = messageOf (fun () -> runner.Complete(Trial(Data = bare.Root, FrontEnd = "mel-64-matched")))
            for part in [ $"'{bare.Name}' has none"; "unlabeled_soundscapes/"; "features.band_matching=none" ] do Expect.stringContains message part "data"
            Expect.equal (runner.Complete(Trial(Data = (data.Force()).Root, FrontEnd = "mel-64-matched"))).FrontEnd "mel-64-matched" "one that has them"
            for kind in [ "expand-and-sparsify"; "waveform" ] do
                Expect.stringContains (messageOf (fun () -> FrontEnds.Create(FrontEndSettings(Kind = kind, BandMatching = BandMatching.Mean)))) "BandMatching is Mean, but" kind)
        test "files with labelled windows and held-out files never count as unlabelled" {
            let clips = [ for i in 1..4 -> SmallData.clip $"c{i}" "a" $"g{i}" ]
            let window = SmallData.clip "tested_5" "a" "tested"
            let data = Dataset(Name = "made-up", Root = ".", Layout = "birdclef", Classes = [| "a" |], Focal = Array.ofList clips, Soundscapes = [| window |],
                               Unlabelled = [| "unlabeled_soundscapes/u1.wav"; window.File; clips[3].File |], Labelling = Labelling.MultiLabel, GroupedBy = "author", ContentKey = "")
            let split = Split(Train = clips[..2], Validation = clips[3..], Fold = 0, Folds = [| 0 |], Rule = "", ClassesWithoutTraining = [||], ClassesWithoutValidation = [||])
            Expect.equal [ for c in UnlabelledSoundscapes.Of(data, split) -> c.File, c.Labels.Count ] [ "unlabeled_soundscapes/u1.wav", 0 ] ""
        }
    ])
