module BirdResearch.Tests.RealDataTests

open System
open System.IO
open Expecto
open BirdResearch.Data

/// Runs a test on a real data set, or says that it is not here.
let onReal name (check: Dataset -> unit) =
    let folder = match Folders.Recordings with null -> None | shelf -> Some(Path.Combine(shelf, name))
    match folder |> Option.filter Directory.Exists with
    | None -> skiptest $"{name} is not here: set BIRD_DATA to the folder of real recordings"
    | Some folder -> check (Datasets.Open (folder, quarantine = false))

let counts (data: Dataset) = data.Classes.Count, data.Focal.Count, data.Soundscapes.Count, data.Unlabelled.Count

let tests =
    testList "real data" [
        test "birds opens with 154 recordings of 13 species in four given folds" {
            onReal "birds" (fun data ->
                Expect.equal (counts data) (13, 154, 144, 48) "counts"
                Expect.equal (data.Layout, data.GroupedBy, data.Labelling) ("birdclef", "fold", Labelling.MultiLabel) "kind"
                Expect.equal (data.Focal |> Seq.countBy (fun c -> c.Labels[0]) |> Seq.filter (fun (l, _) -> l = "whevir") |> List.ofSeq) [ "whevir", 39 ] "whevir"
                Expect.equal (data.Focal |> Seq.filter (fun c -> c.SecondaryLabels.Count > 0) |> Seq.length) 36 "secondary"
                Expect.equal data.CommonNames["houspa"] "House Sparrow" "common name"
                Expect.equal (set [ for w in data.Soundscapes do yield! w.Labels ]).Count 10 "species in soundscapes"
                for fold, held in List.zip [ 0..3 ] [ 35; 32; 44; 43 ] do
                    let split = Splits.Of(data, Nullable fold)
                    Expect.equal (split.Validation.Count, split.Train.Count) (held, 154 - held) $"fold {fold}"
                    Expect.isEmpty (Set.intersect (set [ for c in split.Train -> c.Group ]) (set [ for c in split.Validation -> c.Group ])) $"fold {fold}"
                    Expect.isEmpty split.ClassesWithoutTraining $"fold {fold}")
        }
        test "birds_many opens with 172 species, nearly all of which stay in training" {
            onReal "birds_many" (fun data ->
                Expect.equal (counts data) (172, 181, 0, 0) "counts"
                Expect.equal data.GroupedBy "author" "grouped"
                for fold in 0..3 do
                    let split = Splits.Of(data, Nullable fold)
                    Expect.isEmpty split.ClassesWithoutTraining $"fold {fold}"
                    Expect.isGreaterThan split.ClassesWithoutValidation.Count 164 $"fold {fold}")
        }
        test "esc10 opens with 32 clips of each of 10 classes, and its folds keep sources whole" {
            onReal "esc10" (fun data ->
                Expect.equal (counts data) (10, 320, 0, 0) "counts"
                Expect.equal (data.Layout, data.Labelling, data.Notes.Count) ("esc", Labelling.SingleLabel, 0) "kind"
                Expect.allEqual (data.Focal |> Seq.countBy (fun c -> c.Labels[0]) |> Seq.map snd) 32 "per class"
                Expect.equal (List.ofSeq (Splits.Of data).Folds) [ 1; 2; 3; 4 ] "folds"
                for fold in 1..4 do
                    let split = Splits.Of(data, Nullable fold)
                    Expect.equal split.Validation.Count 80 $"fold {fold}"
                    Expect.isEmpty (Set.intersect (set [ for c in split.Train -> c.Group ]) (set [ for c in split.Validation -> c.Group ])) $"fold {fold}")
        }
        test "field_annotated opens as labelled soundscapes without recordings" {
            onReal "field_annotated" (fun data ->
                Expect.equal (counts data) (3, 0, 66, 0) "counts"
                Expect.equal (List.ofSeq data.Classes) [ "refspi1"; "scrpih1"; "unknown" ] "classes"
                Expect.isTrue (data.Soundscapes |> Seq.forall (fun w -> w.Seconds.Value > 0.0 && w.Seconds.Value <= 5.0)) "windows of 5 s at most")
        }
        test "windows of real recordings are finite and of one length" {
            onReal "birds" (fun data ->
                let reader = WindowReader(data, 32000, 5.0)
                let clips = Array.append (Seq.truncate 6 data.Focal |> Array.ofSeq) (Seq.truncate 3 data.Soundscapes |> Array.ofSeq)
                let batches = ClipBatches.Evaluation(reader, clips, data.Classes, 4, 2) |> List.ofSeq
                for b in batches do
                    Expect.equal b.WindowSamples 160_000 "length"
                    Expect.isTrue (b.Samples |> Array.forall Single.IsFinite) "finite"
                    Expect.exists b.Samples (fun s -> s <> 0f) "sound")
        }
        test "an epoch of real recordings has the same bits whether they fit in memory or not" {
            onReal "birds" (fun data ->
                let clips = Seq.truncate 24 data.Focal |> Array.ofSeq
                let epoch cacheBytes =
                    [ for b in ClipBatches.Training(WindowReader(data, 22050, 3.0, cacheBytes), clips, data.Classes, 8, 1L, 2) -> b.Samples ]
                let all = epoch (1L <<< 30)
                Expect.equal (epoch 0L) all "no memory"
                Expect.equal (epoch (8L <<< 20)) all "room for some")
        }
    ]
