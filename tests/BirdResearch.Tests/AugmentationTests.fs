module BirdResearch.Tests.AugmentationTests

open System
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Features
open BirdResearch.Tests.Tensors

/// Keys of a batch whose clips are named after its step.
let private at epoch step rows = [| for row in 0 .. rows - 1 -> SampleKey(5L, epoch, $"step {step} row {row}") |]

let private masks frequencyMasks frequencyShare timeMasks timeShare probability =
    SpecAugment(
        SpecAugmentSettings(
            Probability = probability, FrequencyMasks = frequencyMasks, FrequencyShare = frequencyShare, TimeMasks = timeMasks, TimeShare = timeShare))

let private mix probability alpha labels keys counts x y =
    let mixed = Mixup(MixupSettings(Probability = probability, Alpha = alpha, Labels = labels)).Apply(LabelledSound(x, y, keys), counts)
    mixed.Samples, mixed.Labels

let private mixed probability labels clips step =
    let x = sound clips 200
    let y = torch.eye(int64 clips)
    let counts = AugmentationCounts()
    let mixed, mixedLabels = mix probability 0.4 labels (step clips) counts x y
    x, mixed, mixedLabels, counts.Of Mixup.Name

/// Share of clips that a transform of that probability changed over 400 batches of 8, and what its counter says.
let private rate (apply: SampleKey[] -> AugmentationCounts -> int) =
    use _ = torch.NewDisposeScope()
    let counts = AugmentationCounts()
    let changed = Seq.sum (seq { for step in 0..399 -> apply (at 0 step 8) counts })
    changed, counts

let private mixupRate probability =
    let x, y = torch.rand(8L, 3L), torch.eye 8L
    let changed, counts =
        rate (fun step counts ->
            use _ = torch.NewDisposeScope()
            let m, _ = mix probability 0.4 MixedLabels.Weighted step counts x y
            int (m.ne(x).any(1L).sum().item<int64>()))
    changed, counts.Of Mixup.Name

let private maskRate probability =
    let x = torch.ones(8L, 1L, 6L, 10L)
    let changed, counts =
        rate (fun step counts ->
            use _ = torch.NewDisposeScope()
            let m = (masks 1 0.3 1 0.3 probability).Apply(x, step, counts)
            int (m.ne(x).flatten(1L).any(1L).sum().item<int64>()))
    changed, counts.Of SpecAugment.Name

let private shiftRate probability =
    let changed, counts =
        rate (fun step counts ->
            let samples = Array.init (8 * 5000) float32
            step |> Array.iteri (fun row key -> TimeShift(TimeShiftSettings(Probability = probability)).Apply(key, samples.AsSpan(row * 5000, 5000), counts))
            Array.chunkBySize 5000 samples |> Array.indexed |> Array.filter (fun (row, clip) -> clip[0] <> float32 (row * 5000)) |> Array.length)
    changed, counts.Of TimeShift.Name

let private augmentation = [
    test "a time shift turns each clip around its own end and changes no sample" {
        let samples = Array.init 600 float32
        at 1 4 3 |> Array.iteri (fun row key -> TimeShift(TimeShiftSettings(Probability = 1.0)).Apply(key, samples.AsSpan(row * 200, 200), AugmentationCounts()))
        for row, clip in Array.chunkBySize 200 samples |> Array.indexed do
            let first = Array.findIndex ((=) (float32 (row * 200))) clip
            let turned = Array.append clip[first..] clip[.. first - 1]
            Expect.equal turned (Array.init 200 (fun i -> float32 (row * 200 + i))) $"row {row}, turned back by {first}"
    }
    for name, rateOf in [ "mixup", mixupRate; "SpecAugment", maskRate; "time shift", shiftRate ] do
        torchTest $"{name} with probability 0 never changes a clip, with 1 every clip, with 0.4 a binomial share" (fun () ->
            Expect.equal (rateOf 0.0) (0, AugmentationCount(0L, 3200L)) "never"
            let always, count = rateOf 1.0
            Expect.equal count (AugmentationCount(3200L, 3200L)) "always"
            Expect.isGreaterThan always 3190 "an own weight of almost 1 may round to no change"
            let some, count = rateOf 0.4
            // 3,200 draws: 1280 expected, deviation 27.7; five of them.
            Expect.isLessThan (abs (count.Applied - 1280L)) 139L "within the binomial band"
            Expect.isLessThan (abs (some - int count.Applied)) 10 "the counter counts what changed")
    torchTest "mixed sound and weighted labels keep the same proportions, a clip with another one" (fun () ->
        let x, m, labels, _ = mixed 1.0 MixedLabels.Weighted 6 (at 2 3)
        let shares = numbers labels |> Array.chunkBySize 6
        for row in 0..5 do
            Expect.floatClose Accuracy.medium (Array.sum shares[row]) 1.0 "labels sum to 1"
            let others = [ for c in 0..5 do if c <> row && shares[row][c] > 0.0 then c ]
            Expect.isLessThanOrEqual others.Length 1 "one partner"
            let want = Array.init 200 (fun i -> Seq.sum (seq { for c in 0..5 -> shares[row][c] * (numbers x[c])[i] }))
            Expect.isLessThan (widest (numbers m[row]) want) 1e-5 "the sound by the same shares")
    torchTest "united labels hold every class of both clips in full" (fun () ->
        let _, _, labels, _ = mixed 1.0 MixedLabels.Union 6 (at 2 3)
        let _, _, weighted, _ = mixed 1.0 MixedLabels.Weighted 6 (at 2 3)
        Expect.allEqual (numbers (labels.sum([| 1L |]))) 2.0 "two classes per clip"
        let present = Array.map (fun v -> v > 0.0)
        Expect.equal (present (numbers labels)) (present (numbers weighted)) "the same partners")
    torchTest "mixup's weights follow their Beta distribution" (fun () ->
        for alpha in [ 0.01; 0.4; 1.0; 8.0 ] do
            let counts = AugmentationCounts()
            let _, labels = mix 1.0 alpha MixedLabels.Weighted (at 0 0 4000) counts (torch.zeros(4000L, 1L)) (torch.eye 4000L)
            let own = numbers (labels.diag())
            Expect.isLessThan (abs (Array.average own - 0.5)) 0.05 $"mean for alpha {alpha}"
            let variance = own |> Array.averageBy (fun w -> (w - 0.5) ** 2.0)
            let want = 1.0 / (4.0 * (2.0 * alpha + 1.0))
            Expect.isLessThan (abs (variance - want)) (0.06 * want) $"variance for alpha {alpha}")
    torchTest "a batch of one clip is not mixed, and the counter says so" (fun () ->
        let x, m, labels, count = mixed 1.0 MixedLabels.Weighted 1 (at 0 0)
        Expect.equal (numbers m) (numbers x) "sound"
        Expect.equal (numbers labels) [| 1.0 |] "label"
        Expect.equal count (AugmentationCount(0L, 1L)) "count")
    torchTest "masks cover whole rows and frames, no wider than asked, alike in all channels" (fun () ->
        let counts = AugmentationCounts()
        let y = (masks 1 0.25 2 0.1 1.0).Apply(torch.ones(300L, 3L, 20L, 50L), at 1 1 300, counts)
        let widths = Collections.Generic.HashSet<int>()
        for clip in 0..299 do
            let channels = [ for c in 0..2 -> numbers y[clip, c] ]
            Expect.allEqual channels channels.Head "channels"
            let rows = channels.Head |> Array.chunkBySize 50
            let masked = rows |> Array.map (Array.forall ((=) 0.0))
            let kept = rows |> Array.tryFind (Array.exists ((<>) 0.0)) |> Option.get
            for r in 0..19 do
                if not masked[r] then Expect.equal rows[r] kept "a kept row misses the masked frames only"
            let width = masked |> Array.filter id |> Array.length
            widths.Add width |> ignore
            let first, last = Array.findIndex id masked, Array.findIndexBack id masked
            Expect.equal (last - first + 1) width "one band"
            Expect.isLessThanOrEqual (kept |> Array.filter ((=) 0.0) |> Array.length) 10 "frames"
        Expect.equal (Seq.sort widths |> List.ofSeq) [ 1..5 ] "every width up to a quarter of the rows")
    torchTest "raw sound, which has one row, is masked in time alone" (fun () ->
        let y = (masks 3 0.9 1 0.2 1.0).Apply(torch.ones(50L, 1L, 1L, 100L), at 1 1 50, AugmentationCounts())
        for clip in Array.chunkBySize 100 (numbers y) do
            let masked = clip |> Array.filter ((=) 0.0) |> Array.length
            Expect.isTrue (masked >= 1 && masked <= 20) $"{masked} of 100 samples")
    torchTest "masks that are switched off change nothing and count nothing" (fun () ->
        let counts = AugmentationCounts()
        let x = torch.rand(4L, 1L, 8L, 8L)
        for off in [ masks 0 0.5 0 0.5 1.0; masks 2 0.0 2 0.0 1.0 ] do
            Expect.equal (numbers (off.Apply(x, at 0 0 4, counts))) (numbers x) "features"
        Expect.equal (counts.Of SpecAugment.Name) (AugmentationCount(0L, 8L)) "count")
    torchTest "augmentation is a function of seed, epoch and clip" (fun () ->
        let spec step = (masks 2 0.3 2 0.3 1.0).Apply(torch.ones(4L, 1L, 30L, 30L), step 4, AugmentationCounts()) |> numbers
        let mixUp step = let _, m, _, _ = mixed 0.8 MixedLabels.Weighted 8 step in numbers m
        for draw in [ spec; mixUp ] do
            Expect.equal (draw (at 3 4)) (draw (at 3 4)) "again"
            for other in [ at 4 3; at 3 5; fun rows -> [| for key in at 3 4 rows -> SampleKey(6L, key.Epoch, key.Clip) |] ] do
                Expect.notEqual (draw other) (draw (at 3 4)) "another epoch, clip or seed"
        let few = (masks 2 0.3 2 0.3 1.0).Apply(torch.ones(2L, 1L, 30L, 30L), at 3 4 2, AugmentationCounts()) |> numbers
        Expect.equal few (Array.truncate few.Length (spec (at 3 4))) "a row does not depend on the rows after it")
    torchTest "augmentation leaves its input as it was and no tensor behind" (fun () ->
        let x, y = torch.rand(4L, 1L, 8L, 8L), torch.eye 4L
        let before = numbers x
        let run () =
            use _ = (masks 1 0.5 1 0.5 1.0).Apply(x, at 0 0 4, AugmentationCounts())
            let clips, labels = mix 1.0 0.4 MixedLabels.Weighted (at 0 0 4) (AugmentationCounts()) x y
            clips.Dispose()
            labels.Dispose()
        run ()
        let count = settledTensors ()
        for _ in 1..20 do run ()
        Expect.isLessThanOrEqual torch.Tensor.TotalCount count "live tensors"
        Expect.equal (numbers x) before "input")
    test "augmentation settings out of range are refused by name" {
        Expect.stringContains (messageOf (fun () -> Mixup(MixupSettings(Probability = 1.5)))) "augmentation.mixup.probability is 1.5" ""
        Expect.stringContains (messageOf (fun () -> Mixup(MixupSettings(Alpha = 0.0)))) "augmentation.mixup.alpha is 0" ""
        Expect.stringContains (messageOf (fun () -> masks 1 nan 1 0.1 1.0)) "augmentation.spec_augment.frequency_share is NaN" ""
    }
]

let tests : Test = testSequencedGroup "torch" (testList "Augmentation" augmentation)
