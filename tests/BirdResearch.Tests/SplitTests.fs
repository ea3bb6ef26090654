module BirdResearch.Tests.SplitTests

open System
open System.Collections.Generic
open Expecto
open BirdResearch.Data
open BirdResearch.Tests.SmallData

/// Recordings of 6 species by 15 authors, some of whom recorded several species.
let madeUp seed =
    let random = CounterRandom seed
    [ for i in 1..120 ->
          let author = random.NextInt 15
          let species = if random.NextInt 3 = 0 then random.NextInt 6 else author % 6
          clip $"XC{i}" $"species{species}" $"author{author}" ]

/// Few recordings of many species by few authors: hard to divide.
let tangled seed =
    let random = CounterRandom(seed, 1L)
    let authors, species = 4 + random.NextInt 6, 4 + random.NextInt 12
    [ for i in 1 .. 20 + random.NextInt 40 -> clip $"XC{i}" $"species{random.NextInt species}" $"author{random.NextInt authors}" ]

let tests =
    testList "Splits" [
        test "no group is on both sides and every class is trained, in every fold" {
            for seed in 1L .. 200L do
                let data = dataset "." (if seed % 2L = 0L then madeUp seed else tangled seed)
                let held = HashSet()
                for fold in (Splits.Of data).Folds do
                    let split = Splits.Of(data, Nullable fold)
                    let groups (clips: Clip seq) = set [ for c in clips -> c.Group ]
                    Expect.isEmpty (Set.intersect (groups split.Train) (groups split.Validation)) $"seed {seed} fold {fold}"
                    Expect.isEmpty split.ClassesWithoutTraining $"seed {seed} fold {fold}"
                    Expect.equal (split.Train.Count + split.Validation.Count) data.Focal.Count "all recordings"
                    for c in split.Validation do
                        Expect.isTrue (held.Add c.Id) "held out once"
        }
        test "a split does not depend on the order of the rows" {
            for seed in 1L .. 20L do
                let clips = madeUp seed
                let shuffled = Array.ofList clips
                CounterRandom(seed, 1L).Shuffle(Span shuffled)
                for fold in 0..3 do
                    let plain, mixed = Splits.Of(dataset "." clips, Nullable fold), Splits.Of(dataset "." (List.ofArray shuffled), Nullable fold)
                    Expect.equal (ids mixed.Train) (ids plain.Train) $"seed {seed} fold {fold} train"
                    Expect.equal (ids mixed.Validation) (ids plain.Validation) $"seed {seed} fold {fold} validation"
        }
        test "classes of many authors spread evenly over the folds" {
            let data = dataset "." [ for i in 0..199 -> clip $"XC{i}" $"species{i % 5}" $"author{i % 5}.{i / 10}" ]
            for fold in 0..3 do
                let split = Splits.Of(data, Nullable fold)
                for label, count in split.Validation |> Seq.countBy (fun c -> c.Labels[0]) do
                    Expect.equal count 10 $"{label} in fold {fold}"
                Expect.isEmpty split.ClassesWithoutValidation "every class"
        }
        test "a class of one author stays in training and is reported" {
            let data = dataset "." (clip "rare" "rare" "hermit" :: madeUp 1L)
            for fold in 0..3 do
                let split = Splits.Of(data, Nullable fold)
                Expect.contains (ids split.Train) "rare" "trained"
                Expect.contains split.ClassesWithoutValidation "rare" "reported"
                Expect.stringContains (string split) "nothing to validate: rare" "in words"
        }
        test "a class whose authors all fall into one fold keeps one of them in training" {
            // Dealt in this order: a to fold 0, the three others to fold 1 for its size; z then joins a, far from its other species.
            let heard author label count = [ for i in 1..count -> clip $"{author}.{label}.{i}" label author ]
            let data =
                dataset "."
                    [ yield! heard "a" "wren" 30
                      yield! heard "p" "robin" 9
                      yield! heard "q" "owl" 8
                      yield! heard "r" "jay" 7
                      for label in [ "wren"; "robin"; "owl"; "jay" ] do
                          yield! heard "z" label 1 ]
            for fold in 0..1 do
                Expect.isEmpty (Splits.Of(data, Nullable fold, 2)).ClassesWithoutTraining $"fold {fold}"
        }
        test "given folds are taken as they are, and an unknown one is refused" {
            let data = datasetBy "fold" "." [ for i in 0..11 -> clipWithFold (Nullable(1 + i % 3)) $"c{i}" "dog" $"s{i}" ]
            let split = Splits.Of data
            Expect.equal (split.Fold, List.ofSeq split.Folds, split.Rule) (1, [ 1; 2; 3 ], "given folds") "first"
            Expect.equal (ids split.Validation) [ "c0"; "c3"; "c6"; "c9" ] "validation"
            Expect.equal (message (fun () -> Splits.Of(data, Nullable 0))) "made-up has no fold 0. Its folds are 1, 2, 3." "unknown"
        }
    ]
