module BirdResearch.Tests.SamplingTests

open System
open System.Globalization
open System.IO
open System.Threading
open Expecto
open BirdResearch.Audio
open BirdResearch.Data
open BirdResearch.Training
open BirdResearch.Experiments
open BirdResearch.Tests.SmallData

let rate = 8000

let labelled id (labels: string list) (secondary: string list) =
    Clip(Id = id, File = $"audio/{id}.wav", Labels = Array.ofList labels, SecondaryLabels = Array.ofList secondary, Group = id)

/// A recording of a second for each clip.
let short (folder: Scratch) (clips: Clip list) =
    for c in clips do folder.Ramp(c.File, 1.0)
    dataset folder.Root clips

let batchesOf (data: Dataset) sampling number =
    ClipBatches.Training(WindowReader(data, rate, 0.5), data.Focal, data.Classes, 4, 1L, number, workers = Nullable 2, sampling = sampling) |> List.ofSeq

let idsOf batches = [ for b: ClipBatch in batches do yield! b.Ids ]

/// Where a window of a ramp begins, in samples.
let places (batches: ClipBatch list) =
    [ for b in batches do
          yield! Seq.zip b.Ids (Array.chunkBySize b.WindowSamples b.Samples |> Array.map (fun w -> int (round (float w[0] * 100000.0)))) ]

/// 96 clips of three species, a third of the rare ones beside a common one.
let unbalanced =
    [ for i in 0..62 -> labelled $"c{i:D2}" [ "common" ] []
      for i in 0..23 -> labelled $"m{i:D2}" [ "middle" ] []
      for i in 0..5 -> labelled $"r{i:D2}" [ "rare" ] []
      for i in 0..2 -> labelled $"x{i:D2}" [ "common"; "rare" ] [] ]

let balance =
    testList "balance" [
        for rule, beta in [ ClassBalance.InverseSqrt, 0.0; ClassBalance.EffectiveNumber, 0.9; ClassBalance.EffectiveNumber, 0.999 ] do
            test $"{rule} {beta} draws each clip as often as the rarest of its classes says, within a binomial band" {
                use folder = new Scratch()
                let data = short folder unbalanced
                let weightOf n =
                    match rule with
                    | ClassBalance.InverseSqrt -> 1.0 / sqrt n
                    | _ -> (1.0 - beta) / (1.0 - beta ** n)
                let weights = dict [ 'c', weightOf 66.0; 'm', weightOf 24.0; 'r', weightOf 9.0; 'x', weightOf 9.0 ]
                let total = data.Focal |> Seq.sumBy (fun c -> weights[c.Id[0]])
                let sampling = SamplingSettings(Balance = rule, BalanceBeta = beta)
                let epochs = 60
                let drawn = [ for e in 0 .. epochs - 1 -> idsOf (batchesOf data sampling e) ]
                for epoch in drawn do
                    Expect.equal epoch.Length data.Focal.Count "the epoch keeps its length"
                let counts = drawn |> List.concat |> List.countBy (fun id -> id[0]) |> dict
                let n = float (epochs * data.Focal.Count)
                for kind in [ 'c'; 'm'; 'r'; 'x' ] do
                    let members = data.Focal |> Seq.filter (fun c -> c.Id[0] = kind) |> Seq.length |> float
                    let p = members * weights[kind] / total
                    Expect.isLessThan (abs (float counts[kind] - n * p)) (4.5 * sqrt (n * p * (1.0 - p))) $"{kind}: {counts[kind]} of {n}, expected {n * p}"
            }
        test "repeats of a clip are different samples and an epoch can be made again" {
            use folder = new Scratch()
            let data = short folder unbalanced
            let sampling = SamplingSettings(Balance = ClassBalance.InverseSqrt)
            let keys number = [ for b in batchesOf data sampling number do yield! b.Keys ]
            Expect.equal (keys 3) (keys 3) "again"
            Expect.notEqual (keys 3 |> List.map _.Clip |> List.sort) (keys 4 |> List.map _.Clip |> List.sort) "another epoch draws others"
            Expect.equal (List.distinct (keys 3)).Length data.Focal.Count "no key twice"
            for clip, repeats in keys 3 |> List.groupBy _.Clip do
                Expect.equal (repeats |> List.map _.Draw |> List.sort) [ 0 .. repeats.Length - 1 ] clip
            let repeated = places (batchesOf data sampling 3) |> List.groupBy fst |> List.filter (fun (_, p) -> p.Length > 1)
            Expect.isGreaterThan repeated.Length 5 "some are repeated"
            Expect.isTrue (repeated |> List.exists (fun (_, p) -> (List.distinctBy snd p).Length = p.Length)) "with other windows"
            let reversed = ClipBatches.Training(WindowReader(data, rate, 0.5), Array.rev (Array.ofSeq data.Focal), data.Classes, 4, 1L, 3, sampling = sampling)
            Expect.equal [ for b in reversed do yield! b.Keys ] (keys 3) "whatever the order of the clips"
        }
    ]

let labels =
    testList "secondary labels" [
        let clips =
            [ labelled "a" [ "owl" ] [ "wren"; "stranger" ]
              labelled "b" [ "wren" ] []
              labelled "c" [ "robin" ] [ "owl"; "robin"; "wren" ] ]
        // Classes: owl, robin, wren.
        let rows rule =
            use folder = new Scratch()
            let data = short folder clips
            Map [ for b in batchesOf data (SamplingSettings(SecondaryLabels = rule)) 0 do
                      let weights = match b.LabelWeights with null -> Array.create b.Labels.Length 1f | w -> w
                      yield! Seq.zip b.Ids (Seq.zip (Array.chunkBySize 3 b.Labels) (Array.chunkBySize 3 weights)) ]
        let ones = [| 1f; 1f; 1f |]
        test "they are absent by default" {
            let expected = Map [ "a", ([| 1f; 0f; 0f |], ones); "b", ([| 0f; 0f; 1f |], ones); "c", ([| 0f; 1f; 0f |], ones) ]
            Expect.equal (rows SecondaryLabelRule.Ignore) expected "rows"
        }
        test "masked, they have no weight, and a class that is also a primary label keeps its own" {
            let expected = Map [ "a", ([| 1f; 0f; 0f |], [| 1f; 1f; 0f |]); "b", ([| 0f; 0f; 1f |], ones); "c", ([| 0f; 1f; 0f |], [| 0f; 1f; 0f |]) ]
            Expect.equal (rows SecondaryLabelRule.Mask) expected "rows"
        }
        test "half, they count half" {
            let expected = Map [ "a", ([| 1f; 0f; 0.5f |], ones); "b", ([| 0f; 0f; 1f |], ones); "c", ([| 0.5f; 1f; 0.5f |], ones) ]
            Expect.equal (rows SecondaryLabelRule.Half) expected "rows"
        }
        test "full, they count like others" {
            let expected = Map [ "a", ([| 1f; 0f; 1f |], ones); "b", ([| 0f; 0f; 1f |], ones); "c", ([| 1f; 1f; 1f |], ones) ]
            Expect.equal (rows SecondaryLabelRule.Full) expected "rows"
        }
        test "weights are left out where every label is known, and evaluation never has any" {
            use folder = new Scratch()
            let data = short folder clips
            for rule in [ SecondaryLabelRule.Ignore; SecondaryLabelRule.Half; SecondaryLabelRule.Full ] do
                for b in batchesOf data (SamplingSettings(SecondaryLabels = rule)) 0 do Expect.isNull b.LabelWeights $"{rule}"
            for b in ClipBatches.Evaluation(WindowReader(data, rate, 0.5), data.Focal, data.Classes, 4, 3) do
                Expect.isNull b.LabelWeights "evaluation"
                Expect.equal (Array.sum b.Labels) (float32 b.Count) "primary labels alone"
        }
        test "a clip that counts a rare bird in its background is drawn more often where that label counts" {
            let weights rule = ClassWeights.Of([| for c in unbalanced -> LabelRule([||], [| "common"; "middle"; "rare" |], rule).Present c |], ClassBalance.InverseSqrt, 0.0)
            Expect.equal (weights SecondaryLabelRule.Full) (weights SecondaryLabelRule.Ignore) "none has one here"
            let noted = [| for c in unbalanced -> if c.Id = "c00" then labelled "c00" [ "common" ] [ "rare" ] else c |]
            let weights rule = ClassWeights.Of([| for c in noted -> LabelRule([||], [| "common"; "middle"; "rare" |], rule).Present c |], ClassBalance.InverseSqrt, 0.0)
            Expect.floatClose Accuracy.high (Array.head (weights SecondaryLabelRule.Full)) (1.0 / sqrt 10.0) "rare in ten"
            Expect.floatClose Accuracy.high (Array.head (weights SecondaryLabelRule.Mask)) (1.0 / sqrt 66.0) "common in 66"
        }
    ]

let windows =
    testList "windows" [
        test "all windows cover every recording, once each, and their number is what the schedule counts on" {
            use folder = new Scratch()
            let lengths = [ 0.2; 0.5; 0.500125; 1.0; 1.3; 2.6; 7.0 ]
            let data =
                dataset folder.Root
                    [ for i, length in List.indexed lengths do
                          folder.Ramp($"audio/{i}.wav", length)
                          labelled (string i) [ "wren" ] [] ]
            let sampling = SamplingSettings(Window = WindowChoice.All)
            let found = batchesOf data sampling 2
            let count = ClipBatches.SamplesPerEpoch(WindowReader(data, rate, 0.5), data.Focal, sampling, 1L)
            Expect.equal count (1 + 1 + 2 + 2 + 3 + 6 + 14) "windows"
            Expect.equal (idsOf found).Length count "as many came"
            Expect.equal found.Length (ClipBatches.PerEpoch(count, 4)) "in as many steps"
            for id, rows in places found |> List.groupBy fst do
                let length = int (lengths[int id] * float rate)
                let heard = Array.zeroCreate length
                for _, at in rows do for i in at .. min (at + 4000) length - 1 do heard[i] <- true
                Expect.isTrue (heard |> Array.forall (fun h -> h)) $"{id} is covered"
            Expect.notEqual (idsOf found) (idsOf (batchesOf data sampling 3)) "in another order"
            Expect.equal (List.sort (places found)) (List.sort (places (batchesOf data sampling 3))) "but the same windows"
        }
        test "the steps of an epoch are those the schedule counts on, in every mode" {
            use folder = new Scratch()
            let data =
                dataset folder.Root
                    [ for i in 0..20 do
                          folder.Ramp($"audio/{i}.wav", 0.3 + 0.2 * float (i % 7))
                          labelled (string i) [ (if i < 14 then "common" elif i < 19 then "middle" else "rare") ] [] ]
            for window in Enum.GetValues<WindowChoice>() do
                for rule in Enum.GetValues<ClassBalance>() do
                    for most, least in [ 0, 0; 4, 0; 0, 6; 5, 3 ] do
                        let sampling = SamplingSettings(Window = window, Balance = rule, MostPerClass = most, LeastPerClass = least)
                        for number in 0..2 do
                            let found = batchesOf data sampling number
                            let count = ClipBatches.SamplesPerEpoch(WindowReader(data, rate, 0.5), data.Focal, sampling, 1L)
                            Expect.equal (idsOf found).Length count $"samples of {sampling}"
                            Expect.equal found.Length (ClipBatches.PerEpoch(count, 4)) $"steps of {sampling}"
                            let keys = [ for b in found do yield! b.Keys ]
                            Expect.equal (List.distinct keys).Length count $"keys of {sampling}"
        }
        test "the defaults are what an epoch was before there was a choice" {
            use folder = new Scratch()
            let data = short folder unbalanced
            let plain = ClipBatches.Training(WindowReader(data, rate, 0.5), data.Focal, data.Classes, 4, 1L, 5) |> List.ofSeq
            let chosen = batchesOf data (SamplingSettings()) 5
            Expect.equal [ for b in chosen -> b.Samples ] [ for b in plain -> b.Samples ] "samples"
            let want =
                [ for c in data.Focal -> c.Id, SampleKey(1L, 5, c.Id) ]
                |> List.sortBy (fun (id, key) -> key.RandomFor("order").NextBits(), id)
                |> List.map (fun (id, key) -> id, int (key.RandomFor("window").NextLong 4001L))
            Expect.equal (places plain) want "order and places by their rule"
        }
        test "first takes the beginning and loudest the window of most energy in the band" {
            use folder = new Scratch()
            let random = CounterRandom 3L
            // A bird at 3 kHz from 6.2 to 6.9 s; much louder rumble at 100 Hz that swells from 1 to 3 s.
            let sound =
                Array.init (10 * rate) (fun i ->
                    let t = float i / float rate
                    float32 (0.003 * random.NextGaussian()
                             + (if t >= 6.2 && t < 6.9 then 0.1 * sin (2.0 * Math.PI * 3000.0 * t) else 0.0)
                             + (if t >= 1.0 && t < 3.0 then 0.8 * sin (Math.PI * (t - 1.0) / 2.0) ** 2.0 * sin (2.0 * Math.PI * 100.0 * t) else 0.0)))
            AudioFile.Write(folder.Path "audio/a.wav", Waveform(sound, rate), AudioFormat.WavFloat)
            AudioFile.Write(folder.Path "audio/b.wav", Waveform(sound, rate), AudioFormat.WavFloat)
            let data = dataset folder.Root [ labelled "a" [ "wren" ] []; labelled "b" [ "wren" ] [] ]
            let reader = WindowReader(data, rate, 1.0)
            let starts window number =
                [ for b in ClipBatches.Training(reader, data.Focal, data.Classes, 4, 1L, number, sampling = SamplingSettings(Window = window)) do
                      for row in Array.chunkBySize rate b.Samples do
                          seq { 0 .. 9 * rate } |> Seq.find (fun at -> sound.AsSpan(at, rate).SequenceEqual(ReadOnlySpan row)) ]
            Expect.equal (starts WindowChoice.First 0 @ starts WindowChoice.First 4) [ 0; 0; 0; 0 ] "first"
            for at in starts WindowChoice.Loudest 0 @ starts WindowChoice.Loudest 1 do
                Expect.isTrue (at <= int (6.2 * float rate) && at + rate >= int (6.9 * float rate)) $"loudest begins at {at}"
            let found = [ for number in 0..9 do yield! starts WindowChoice.Detected number ]
            for at in found do
                Expect.isTrue (at < int (6.9 * float rate) && at + rate > int (6.2 * float rate)) $"detected begins at {at}"
            Expect.isGreaterThan (List.distinct found).Length 10 "detected moves about"
        }
        test "where nothing stands out, detected is random" {
            use folder = new Scratch()
            let random = CounterRandom 4L
            for id in [ "a"; "b" ] do
                let noise = Array.init (6 * rate) (fun _ -> float32 (0.05 * random.NextGaussian()))
                AudioFile.Write(folder.Path $"audio/{id}.wav", Waveform(noise, rate), AudioFormat.WavFloat)
            let data = dataset folder.Root [ labelled "a" [ "wren" ] []; labelled "b" [ "wren" ] [] ]
            let of' window = [ for b in batchesOf data (SamplingSettings(Window = window)) 2 -> b.Samples ]
            Expect.equal (of' WindowChoice.Detected) (of' WindowChoice.Random) "windows"
        }
        test "what is found is the same for 1, 2 and 7 workers, and is read back from disk without decoding" {
            use folder = new Scratch()
            let data = CacheTests.recordings folder [ 4.0; 9.0; 2.5; 6.0 ]
            let epoch (reader: WindowReader) window workers =
                [ for b in ClipBatches.Training(reader, data.Focal, data.Classes, 2, 1L, 0, workers = Nullable workers, sampling = SamplingSettings(Window = window)) -> b.Samples ]
            for window in [ WindowChoice.Loudest; WindowChoice.Detected ] do
                let plain = epoch (CacheTests.readerOn data 0L null) window 1
                for workers in [ 2; 7 ] do
                    Expect.equal (epoch (CacheTests.readerOn data 0L null) window workers) plain $"{workers} workers"
                Expect.equal (epoch (CacheTests.readerOn data 0L (CacheTests.cacheIn folder)) window 2) plain "with a cache"
                let second = CacheTests.readerOn data 0L (CacheTests.cacheIn folder)
                Expect.equal (epoch second window 3) plain "from the cache"
                Expect.equal second.DecodedPieces 0L "nothing is decoded"
        }
        test "the fast spectrum is the sum that defines it" {
            for length in [ 4; 8; 64; 256 ] do
                let random = CounterRandom(int64 length)
                let frame = Array.init length (fun _ -> float32 (random.NextGaussian()))
                let power = Array.zeroCreate (length / 2)
                PowerSpectrum(length).Of(ReadOnlySpan frame, Span power)
                for k in 0 .. length / 2 - 1 do
                    let part (wave: float -> float) =
                        Seq.sum [ for i in 0 .. length - 1 ->
                                      let window = 0.5 - 0.5 * cos (2.0 * Math.PI * float i / float length)
                                      window * float frame[i] * wave (2.0 * Math.PI * float (k * i % length) / float length) ]
                    Expect.isLessThan (abs (float power[k] - (part cos ** 2.0 + part sin ** 2.0))) (1e-4 * float length) $"bin {k} of {length}"
        }
    ]

let quotas =
    testList "quotas" [
        test "no class has more recordings than its cap, and all of them take their turn" {
            let clips = [| for i in 0..22 -> labelled $"c{i:D2}" [ "common"; "rare" ] [] |] |> Array.append [| for i in 0..2 -> labelled $"r{i}" [ "rare" ] [] |]
            Expect.equal (ClassQuota.Count(clips, 5, 0)) 8 "how many"
            let epochs = [ for e in 0..22 -> [ for c in ClassQuota.Of(clips, 5, 0, 1L, e) -> c.Id ] ]
            for epoch in epochs do
                Expect.equal (epoch |> List.countBy (fun id -> id[0]) |> List.sort) [ 'c', 5; 'r', 3 ] "in an epoch"
                Expect.equal (List.distinct epoch).Length 8 "each once"
            Expect.allEqual (List.concat epochs |> List.filter (fun id -> id[0] = 'c') |> List.countBy id |> List.map snd) 5 "in 23 epochs each came five times"
            Expect.notEqual [ for c in ClassQuota.Of(clips, 5, 0, 2L, 0) -> c.Id ] epochs[0] "another seed begins elsewhere"
        }
        test "a class below the floor repeats its recordings evenly" {
            let clips = [| for i in 0..9 -> labelled $"c{i}" [ "common" ] [] |] |> Array.append [| for i in 0..2 -> labelled $"r{i}" [ "rare" ] [] |]
            Expect.equal (ClassQuota.Count(clips, 0, 7)) 17 "how many"
            for e in 0..3 do
                let counts = ClassQuota.Of(clips, 0, 7, 1L, e) |> Seq.countBy _.Id |> dict
                for i in 0..9 do Expect.equal counts[$"c{i}"] 1 "common"
                Expect.equal (List.sort [ for i in 0..2 -> counts[$"r{i}"] ]) [ 2; 2; 3 ] "rare"
        }
        test "wrong settings are named with their path and range" {
            let said (sampling: SamplingSettings) = message (fun () -> TrainingSettings(Sampling = sampling).Check())
            Expect.equal (said (SamplingSettings(BalanceBeta = 1.0))) "training.sampling.balance_beta is 1; it must be at least 0 and below 1." "beta"
            Expect.stringContains (said (SamplingSettings(HighHz = 400.0))) "training.sampling.high_hz is 400; it must be above low_hz (500)" "edges"
            Expect.stringContains (said (SamplingSettings(MostPerClass = 3, LeastPerClass = 4))) "no more than most_per_class (3)" "quota"
            Expect.stringContains (said (SamplingSettings(Window = enum 9))) "one of random, first, loudest, detected, all" "window"
        }
        test "every setting is reached from the command line by its path" {
            let trial = [ "window=detected"; "secondary_labels=mask"; "balance=inverse-sqrt"; "most_per_class=500" ] |> List.fold (fun (t: Trial) s -> TrialSettings.Set(t, $"training.sampling.{s}")) (Trial())
            let want = SamplingSettings(Window = WindowChoice.Detected, SecondaryLabels = SecondaryLabelRule.Mask, Balance = ClassBalance.InverseSqrt, MostPerClass = 500)
            Expect.equal trial.Training.Sampling want "sampling"
        }
    ]

let evaluation =
    test "evaluation is the same whatever was sampled before, with and without a cache" {
        use folder = new Scratch()
        let data = CacheTests.recordings folder [ 4.0; 9.0; 2.5; 6.0 ]
        let scored (reader: WindowReader) = [ for b in ClipBatches.Evaluation(reader, data.Focal, data.Classes, 3, 4) -> List.ofSeq b.Ids, b.Samples, b.Labels, b.Keys.Count ]
        let plain = scored (CacheTests.readerOn data 0L null)
        for window in Enum.GetValues<WindowChoice>() do
            for cached in [ false; true ] do
                let reader = CacheTests.readerOn data (1L <<< 20) (if cached then CacheTests.cacheIn folder else null)
                for b in ClipBatches.Training(reader, data.Focal, data.Classes, 2, 1L, 0, sampling = SamplingSettings(Window = window, Balance = ClassBalance.InverseSqrt)) do b.Dispose()
                Expect.equal (scored reader) plain $"{window}"
    }

/// Windows by mark: whether at least 0.4 s (or all) of a marked call lie inside.
type Marks(data: Dataset) =
    let seconds (text: string) = Double.Parse(text, CultureInfo.InvariantCulture)
    let marks =
        [ for row in CsvTable.Read(Path.Combine(data.Root, "soundscape_events.csv"), "soundscape", "start", "end").Rows ->
              row["soundscape"], (seconds row["start"], seconds row["end"]) ]
        |> List.groupBy fst |> List.map (fun (s, m) -> s, List.map snd m) |> dict
    member _.Has(clip: Clip) = marks.ContainsKey clip.Id
    member _.Holds(clip: Clip, start: float, length: float) =
        match marks.TryGetValue clip.Id with
        | true, found -> found |> List.exists (fun (a, b) -> min b (start + length) - max a start >= min 0.4 (b - a))
        | _ -> false

/// Whole soundscapes as clips.
let wholes (data: Dataset) =
    [ for file in data.Soundscapes |> Seq.map _.File |> Seq.distinct ->
          Clip(Id = nonNull (Path.GetFileNameWithoutExtension file), File = file, Labels = [||], Group = file) ]

/// Share of windows of 5 s that hold a marked call: detected, random; over soundscapes that have any.
let heldShares (data: Dataset) draws =
    let marks, reader = Marks data, WindowReader(data, 32000, 5.0)
    let held =
        [ for clip in wholes data do
              if marks.Has clip then
                  let activity, room = reader.ActivityOf clip, max 0L (reader.LengthOf clip - 160_000L)
                  for draw in 0 .. draws - 1 do
                      let key = SampleKey(1L, draw, clip.Id)
                      let holds (at: int64) = marks.Holds(clip, float at / 32000.0, 5.0)
                      let random = key.RandomFor("window").NextLong(room + 1L)
                      let around = activity.Around(key.RandomFor "window", 160_000, room)
                      holds (if around.HasValue then around.Value else random), holds random ]
    let share choose = (held |> List.filter choose |> List.length |> float) / float held.Length
    share fst, share snd

/// Precision and recall of seconds in which something stands out by more than that, against the marks, and the share that is marked.
let seconds (data: Dataset) clearness =
    let marks, reader = Marks data, WindowReader(data, 32000, 5.0)
    let said =
        [ for clip in wholes data do
              let activity = reader.ActivityOf clip
              for second in 0 .. int (reader.LengthOf clip / 32000L) - 1 do
                  marks.Holds(clip, float second, 1.0), activity.Signal[8 * second .. 8 * second + 7] |> Array.exists (fun s -> s > clearness) ]
    let both = said |> List.filter (fun (t, s) -> t && s) |> List.length |> float
    let marked = said |> List.filter fst |> List.length |> float
    both / float (said |> List.filter snd |> List.length), both / marked, marked / float said.Length

let detection =
    testList "detection" [
        test "detected windows of synthetic soundscapes hold a bird far more often than random ones" {
            use folder = new Scratch()
            SyntheticBirds.Write(
                folder.Root,
                SyntheticBirdsSettings(Species = 4, RecordingsPerSpecies = 1, Soundscapes = 4, SoundscapeSeconds = 60, UnlabelledSoundscapes = 0, EmptyShare = 0.6),
                null, CancellationToken.None)
            let detected, random = heldShares (Datasets.Open folder.Root) 100
            Expect.isLessThan random 0.75 $"random windows hold one in {random}"
            Expect.isGreaterThan detected 0.95 $"detected windows hold one in {detected}"
        }
        test "detected windows of composed soundscapes hold a marked call more often than random ones" {
            RealDataTests.onReal "birds" (fun data ->
                let detected, random = heldShares data 100
                Expect.isLessThan random 0.55 "random"
                Expect.isGreaterThan detected 0.75 "detected")
        }
        test "seconds marked by hand are found in field recordings" {
            RealDataTests.onReal "field_annotated" (fun data ->
                let _, found, marked = seconds data 0f
                Expect.isGreaterThan found 0.9 "recall of anything that stands out"
                let precision, recall, _ = seconds data 4f
                Expect.isLessThan marked 0.6 "share marked"
                Expect.isGreaterThan precision 0.77 "precision from 20 dB on"
                Expect.isGreaterThan recall 0.7 "recall from 20 dB on")
        }
    ]

let tests = testList "Sampling" [ balance; labels; windows; quotas; evaluation; detection ]
