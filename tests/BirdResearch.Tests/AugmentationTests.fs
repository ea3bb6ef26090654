module BirdResearch.Tests.AugmentationTests

open System
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Tests.Tensors

let private at epoch step = AugmentationStep(5L, epoch, step)

let private mixed probability labels clips step =
    let x = sound clips 200
    let y = torch.eye(int64 clips)
    let counts = AugmentationCounts()
    let struct (mixed, mixedLabels) = Mixup(probability, 0.4, labels).Apply(x, y, step, counts)
    x, mixed, mixedLabels, counts.Of Mixup.Name

/// Share of clips that a transform of that probability changed over 400 batches of 8, and what its counter says.
let private rate (apply: AugmentationStep -> AugmentationCounts -> int) =
    use _ = torch.NewDisposeScope()
    let counts = AugmentationCounts()
    let changed = Seq.sum (seq { for step in 0..399 -> apply (at 0 step) counts })
    changed, counts

let private mixupRate probability =
    let x, y = torch.rand(8L, 3L), torch.eye 8L
    let changed, counts =
        rate (fun step counts ->
            use _ = torch.NewDisposeScope()
            let struct (m, _) = Mixup(probability, 0.4).Apply(x, y, step, counts)
            int (m.ne(x).any(1L).sum().item<int64>()))
    changed, counts.Of Mixup.Name

let private maskRate probability =
    let x = torch.ones(8L, 1L, 6L, 10L)
    let changed, counts =
        rate (fun step counts ->
            use _ = torch.NewDisposeScope()
            let m = SpecAugment(1, 0.3, 1, 0.3, probability).Apply(x, step, counts)
            int (m.ne(x).flatten(1L).any(1L).sum().item<int64>()))
    changed, counts.Of SpecAugment.Name

let private shiftRate probability =
    let changed, counts =
        rate (fun step counts ->
            let samples = Array.init (8 * 5000) float32
            TimeShift(probability).Apply(samples, 8, step, counts)
            Array.chunkBySize 5000 samples |> Array.indexed |> Array.filter (fun (row, clip) -> clip[0] <> float32 (row * 5000)) |> Array.length)
    changed, counts.Of TimeShift.Name

let private augmentation = [
    test "a time shift turns each clip around its own end and changes no sample" {
        let samples = Array.init 600 float32
        TimeShift(1.0).Apply(samples, 3, at 1 4, AugmentationCounts())
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
            let struct (_, labels) = Mixup(1.0, alpha).Apply(torch.zeros(4000L, 1L), torch.eye 4000L, at 0 0, counts)
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
        let y = SpecAugment(1, 0.25, 2, 0.1).Apply(torch.ones(300L, 3L, 20L, 50L), at 1 1, counts)
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
        let y = SpecAugment(3, 0.9, 1, 0.2).Apply(torch.ones(50L, 1L, 1L, 100L), at 1 1, AugmentationCounts())
        for clip in Array.chunkBySize 100 (numbers y) do
            let masked = clip |> Array.filter ((=) 0.0) |> Array.length
            Expect.isTrue (masked >= 1 && masked <= 20) $"{masked} of 100 samples")
    torchTest "masks that are switched off change nothing and count nothing" (fun () ->
        let counts = AugmentationCounts()
        let x = torch.rand(4L, 1L, 8L, 8L)
        for off in [ SpecAugment(0, 0.5, 0, 0.5); SpecAugment(2, 0.0, 2, 0.0) ] do
            Expect.equal (numbers (off.Apply(x, at 0 0, counts))) (numbers x) "features"
        Expect.equal (counts.Of SpecAugment.Name) (AugmentationCount(0L, 8L)) "count")
    torchTest "augmentation is a function of seed, epoch, step and row" (fun () ->
        let spec step = SpecAugment(2, 0.3, 2, 0.3).Apply(torch.ones(4L, 1L, 30L, 30L), step, AugmentationCounts()) |> numbers
        let mix step = let _, m, _, _ = mixed 0.8 MixedLabels.Weighted 8 step in numbers m
        for draw in [ spec; mix ] do
            Expect.equal (draw (at 3 4)) (draw (at 3 4)) "again"
            for other in [ at 4 3; at 3 5; AugmentationStep(6L, 3, 4) ] do
                Expect.notEqual (draw other) (draw (at 3 4)) $"{other}"
        let few = SpecAugment(2, 0.3, 2, 0.3).Apply(torch.ones(2L, 1L, 30L, 30L), at 3 4, AugmentationCounts()) |> numbers
        Expect.equal few (Array.truncate few.Length (spec (at 3 4))) "a row does not depend on the rows after it")
    torchTest "augmentation leaves its input as it was and no tensor behind" (fun () ->
        let x, y = torch.rand(4L, 1L, 8L, 8L), torch.eye 4L
        let before = numbers x
        let run () =
            use _ = SpecAugment(1, 0.5, 1, 0.5).Apply(x, at 0 0, AugmentationCounts())
            let struct (clips, labels) = Mixup(1.0, 0.4).Apply(x, y, at 0 0, AugmentationCounts())
            clips.Dispose()
            labels.Dispose()
        run ()
        let count = settledTensors ()
        for _ in 1..20 do run ()
        Expect.isLessThanOrEqual torch.Tensor.TotalCount count "live tensors"
        Expect.equal (numbers x) before "input")
    test "augmentation settings out of range are refused by name" {
        Expect.stringContains (messageOf (fun () -> Mixup(1.5, 0.4))) "mixup's probability is 1.5" ""
        Expect.stringContains (messageOf (fun () -> Mixup(0.5, 0.0))) "mixup's alpha is 0" ""
        Expect.stringContains (messageOf (fun () -> SpecAugment(1, nan, 1, 0.1))) "share of the rows is NaN" ""
    }
]

let tests : Test = testSequencedGroup "torch" (testList "Augmentation" augmentation)
