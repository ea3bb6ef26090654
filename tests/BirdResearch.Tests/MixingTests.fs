/// Mixed clips: the sound and the labels keep the same shares, and a label that is not known stays so.
module BirdResearch.Tests.MixingTests

open System
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Features
open BirdResearch.Tests.Tensors

let private keys rows = [| for row in 0 .. rows - 1 -> SampleKey(11L, 3, $"clip {row}") |]
let private counts () = AugmentationCounts()

/// Row i of the samples is i + 1 all along, and its label is class i.
let private batch rows (weights: torch.Tensor | null) =
    let x = (torch.arange (1L, int64 rows + 1L)).``to``(torch.float32).unsqueeze(1L).repeat (1L, 1000L)
    LabelledSound(x, torch.eye (int64 rows), keys rows, LabelWeights = weights)

let private mixup others minimum labels = Mixup(MixupSettings(Probability = 1.0, Alpha = 1.0, Others = others, MinWeight = minimum, Labels = labels))
let private rowsOf (columns: int) (t: torch.Tensor) = numbers t |> Array.chunkBySize columns

let private isClose (a: float) (b: float) = abs (a - b) < 1e-5

/// The rule of the labels, one cell at a time: shares, labels and weights of the parts of a mixture.
let private plainTarget rule (parts: (float * float * float) list) =
    let unknown = parts |> List.exists (fun (_, _, m) -> m = 0.0)
    let certain = [ for _, y, m in parts do if y >= 1.0 && m > 0.0 then m ]
    let least = parts |> List.map (fun (_, _, m) -> m) |> List.min
    match rule with
    | MixedLabels.Union ->
        let known = [ for _, y, m in parts do if m > 0.0 then y ]
        (if known.IsEmpty then 0.0 else List.max known), (if certain.IsEmpty then least else max least (List.max certain))
    | _ ->
        let mass = parts |> List.sumBy (fun (w, _, m) -> w * m)
        let y = if mass = 0.0 then 0.0 else (parts |> List.sumBy (fun (w, y, m) -> w * m * y)) / mass
        y, (if unknown && certain.IsEmpty then 0.0 else mass)

let private tests' = [
    for others in [ 1; 2; 5 ] do
        torchTest $"mixup with up to {others} others keeps sound and labels in the same shares" (fun () ->
            let mixed = (mixup others 0.05 MixedLabels.Weighted).Apply(batch 40 null, counts ())
            let sizes =
                [ for row, (sound, shares) in Array.indexed (Array.zip (rowsOf 1000 mixed.Samples) (rowsOf 40 mixed.Labels)) do
                      Expect.isTrue (isClose (Array.sum shares) 1.0) "shares sum to 1"
                      let want = shares |> Array.mapi (fun c share -> share * float (c + 1)) |> Array.sum
                      Expect.isTrue (sound |> Array.forall (fun v -> abs (v - want) < 1e-4)) "sound by the same shares"
                      let parts = shares |> Array.filter (fun s -> s > 0.0)
                      Expect.isTrue (parts |> Array.forall (fun s -> s > 0.0499)) "no share below the smallest"
                      Expect.isTrue (shares[row] > 0.0) "the clip itself"
                      parts.Length ]
            Expect.equal (List.sort (List.distinct sizes)) [ 2 .. others + 1 ] "every number of clips")
    torchTest "weights of several clips follow their Dirichlet distribution" (fun () ->
        let settings alpha = MixupSettings(Probability = 1.0, Alpha = alpha, Others = 2)
        for alpha in [ 0.3; 1.0; 5.0 ] do
            let labels = Mixup(settings alpha).Apply(LabelledSound(torch.zeros(3000L, 1L), torch.eye 3000L, keys 3000), counts ()).Labels
            let own = [ for row, shares in Array.indexed (rowsOf 3000 labels) do if (shares |> Array.filter (fun s -> s > 0.0) |> Array.length) = 3 then shares[row] ]
            let mean, want = 1.0 / 3.0, (2.0 / 9.0) / (3.0 * alpha + 1.0)
            Expect.isGreaterThan own.Length 1000 "mixtures of three"
            Expect.isLessThan (abs (List.average own - mean)) 0.05 $"mean, alpha {alpha}"
            Expect.isLessThan (abs ((own |> List.averageBy (fun w -> (w - mean) ** 2.0)) / want - 1.0)) 0.2 $"variance, alpha {alpha}")
    torchTest "united labels hold every class of every clip in full" (fun () ->
        let weighted = (mixup 4 0.0 MixedLabels.Weighted).Apply(batch 30 null, counts ())
        let united = (mixup 4 0.0 MixedLabels.Union).Apply(batch 30 null, counts ())
        Expect.equal (numbers united.Samples) (numbers weighted.Samples) "the same sound"
        Expect.equal (numbers united.Labels) (numbers weighted.Labels |> Array.map (fun v -> if v > 0.0 then 1.0 else 0.0)) "classes")
    torchTest "what is drawn for a clip does not depend on the batch, but for the partners" (fun () ->
        let weights rows = (mixup 1 0.0 MixedLabels.Weighted).Apply(batch rows null, counts ()).Labels.diag() |> numbers
        Expect.equal (Array.truncate 7 (weights 30)) (weights 7) "own weights")
    torchTest "a batch smaller than the mixture mixes all that there is, and one clip alone stays as it is" (fun () ->
        let of' rows = (mixup 5 0.0 MixedLabels.Union).Apply(batch rows null, counts ()).Labels |> rowsOf rows |> Array.map Array.sum
        Expect.isTrue (of' 2 |> Array.forall ((=) 2.0)) "two"
        Expect.equal (of' 1) [| 1.0 |] "one")
    for rule in [ MixedLabels.Weighted; MixedLabels.Union ] do
        torchTest $"labels and their weights follow the written rule, {rule}" (fun () ->
            let rows, classes = 60, 6
            let random = Random 4
            let pick (values: float32[]) = values[random.Next values.Length]
            let shape = [ int64 rows; int64 classes ]
            let labels, weights = Array.init (rows * classes) (fun _ -> pick [| 0.0f; 0.0f; 1.0f; 0.5f |]), Array.init (rows * classes) (fun _ -> pick [| 0.0f; 1.0f; 1.0f; 0.5f |])
            let y, m = shaped shape labels, shaped shape weights
            // The shares of the parts are read off a mixture of one-hot labels with the same keys.
            let shares = (mixup 3 0.0 MixedLabels.Weighted).Apply(LabelledSound(torch.zeros(60L, 4L), torch.eye 60L, keys rows), counts ()).Labels |> rowsOf rows
            let mixed = (mixup 3 0.0 rule).Apply(LabelledSound(torch.zeros(60L, 4L), y, keys rows, LabelWeights = m), counts ())
            let gotY, gotM = rowsOf classes mixed.Labels, rowsOf classes (nonNull mixed.LabelWeights)
            for row in 0 .. rows - 1 do
                for c in 0 .. classes - 1 do
                    let parts = [ for k in 0 .. rows - 1 do if shares[row][k] > 0.0 then shares[row][k], float labels[k * classes + c], float weights[k * classes + c] ]
                    let wantY, wantM = plainTarget rule parts
                    Expect.isTrue (isClose wantM (gotM[row][c])) $"weight of %A{parts}"
                    Expect.isTrue (wantM = 0.0 || isClose wantY (gotY[row][c])) $"label of %A{parts}")
    torchTest "a label that is not known stays so unless a partner is sure that the bird is there" (fun () ->
        let y = shaped [ 2L; 3L ] [| 0.0f; 0.0f; 0.0f; 1.0f; 0.0f; 0.0f |]
        let m = shaped [ 2L; 3L ] [| 0.0f; 0.0f; 1.0f; 1.0f; 1.0f; 1.0f |]
        for rule in [ MixedLabels.Weighted; MixedLabels.Union ] do
            let mixed = (mixup 1 0.2 rule).Apply(LabelledSound(torch.zeros(2L, 4L), y, keys 2, LabelWeights = m), counts ())
            for row in 0..1 do
                let weights: float[] = Array.item row (rowsOf 3 (nonNull mixed.LabelWeights))
                let labels: float[] = Array.item row (rowsOf 3 mixed.Labels)
                Expect.isGreaterThan weights[0] 0.1 "sure"
                Expect.equal labels[0] 1.0 "there"
                Expect.equal weights[1] 0.0 "not known beside a no"
                Expect.isTrue (isClose weights[2] 1.0) "known by both"
                Expect.equal labels[2] 0.0 "in neither")
    torchTest "cutmix's labels are the shares of the samples, and each clip keeps its place in time" (fun () ->
        let x = batch 50 null
        let cut = CutMix(CutMixSettings(Probability = 1.0)).Apply(x, counts ())
        let lengths =
            [ for row, (sound, shares) in Array.indexed (Array.zip (rowsOf 1000 cut.Samples) (rowsOf 50 cut.Labels)) do
                  let own = sound |> Array.filter (fun v -> v = float (row + 1)) |> Array.length
                  let other = sound |> Array.find (fun v -> v <> float (row + 1))
                  Expect.equal (sound |> Array.filter (fun v -> v = other) |> Array.length) (1000 - own) "two clips"
                  Expect.isTrue (isClose shares[row] (float own / 1000.0) && isClose shares[int other - 1] (1.0 - float own / 1000.0)) "shares"
                  let changes = sound |> Array.pairwise |> Array.filter (fun (a, b) -> a <> b) |> Array.length
                  Expect.isLessThanOrEqual changes 2 "one stretch"
                  own ]
        Expect.isLessThan (abs (List.averageBy float lengths - 500.0)) 210.0 "Beta(1, 1): half on average, five deviations"
        let united = CutMix(CutMixSettings(Probability = 1.0, Labels = MixedLabels.Union)).Apply(x, counts ())
        Expect.allEqual (numbers (united.Labels.sum([| 1L |]))) 2.0 "union")
    torchTest "the augmenter mixes first and cuts then, and labels still sum to one" (fun () ->
        let settings = AugmentationSettings(TimeShift = TimeShiftSettings(Probability = 0.0), Mixup = MixupSettings(Probability = 1.0, Others = 2), CutMix = CutMixSettings(Probability = 1.0), SpecAugment = SpecAugmentSettings(Probability = 0.0))
        use augmenter = new Augmenter(settings, 32_000)
        let mixed = augmenter.OnBatch(batch 20 (torch.ones(20L, 20L)))
        Expect.isTrue (rowsOf 20 mixed.Labels |> Array.forall (fun row -> isClose (Array.sum row) 1.0)) "labels"
        Expect.isTrue (numbers (nonNull mixed.LabelWeights) |> Array.forall (isClose 1.0)) "weights"
        let sound, labels = rowsOf 1000 mixed.Samples, rowsOf 20 mixed.Labels
        for row in 0..19 do
            let want = labels[row] |> Array.mapi (fun c share -> share * float (c + 1)) |> Array.sum
            Expect.isLessThan (abs (Array.average sound[row] - want)) 1e-3 "the mean of the sound by the labels' shares")
]

let tests : Test = testSequencedGroup "torch" (testList "mixing" tests')
