module BirdResearch.Tests.AugmentationTests

open System
open Expecto
open TorchSharp
open BirdResearch.Data
open BirdResearch.Features
open BirdResearch.Training
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

/// Clips that changed and what the counter says, over 400 batches of 8, of an augmentation that is on alone.
let private rate (entry: AugmentationEntry) probability =
    use augmenter = new Augmenter(entry.Alone.Invoke probability, 8000, backgrounds = WaveformAugmentationTests.hum)
    let random = Random 5
    let windows = Array.init 8 (fun _ -> Array.init 640 (fun _ -> float32 (random.NextDouble() - 0.5)))
    use x = torch.tensor(Array.concat windows).reshape(8L, 640L)
    use features = x.reshape(8L, 1L, 16L, 40L)
    use labels = torch.eye 8L
    let changed (after: torch.Tensor) (before: torch.Tensor) = int (after.ne(before).flatten(1L).any(1L).sum().item<int64>())
    let step number =
        use _ = torch.NewDisposeScope()
        let keys = at 0 number 8
        match entry.Stage with
        | AugmentationStage.Window ->
            Array.zip keys windows |> Array.filter (fun (key, window) ->
                let copy = Array.copy window
                augmenter.OnWindow(key, copy.AsSpan())
                copy <> window) |> Array.length
        | AugmentationStage.Batch -> changed (augmenter.OnBatch(LabelledSound(x, labels, keys))).Samples x
        | _ -> changed (augmenter.OnFeatures(features, keys)) features
    let total = Seq.sumBy step (seq { 0..399 })
    for other in Augmentations.All do
        if other.Name <> entry.Name then Expect.equal (augmenter.Counts.Of other.Name).Applied 0L $"{other.Name} is off"
    total, augmenter.Counts.Of entry.Name

let private augmentation = [
    test "a time shift turns each clip around its own end and changes no sample" {
        let samples = Array.init 600 float32
        at 1 4 3 |> Array.iteri (fun row key -> TimeShift(TimeShiftSettings(Probability = 1.0)).Apply(key, samples.AsSpan(row * 200, 200), AugmentationCounts()))
        for row, clip in Array.chunkBySize 200 samples |> Array.indexed do
            let first = Array.findIndex ((=) (float32 (row * 200))) clip
            let turned = Array.append clip[first..] clip[.. first - 1]
            Expect.equal turned (Array.init 200 (fun i -> float32 (row * 200 + i))) $"row {row}, turned back by {first}"
    }
    for entry in Augmentations.All do
        torchTest $"{entry.Name} with probability 0 never changes a clip, with 1 every clip, with 0.4 a binomial share" (fun () ->
            Expect.equal (rate entry 0.0) (0, AugmentationCount(0L, 3200L)) "never"
            let always, count = rate entry 1.0
            Expect.equal count (AugmentationCount(3200L, 3200L)) "always"
            Expect.isGreaterThan always 3180 "an own weight of almost 1, or a shift by 0, changes nothing"
            let some, count = rate entry 0.4
            // 3,200 draws: 1280 expected, deviation 27.7; five of them.
            Expect.isLessThan (abs (count.Applied - 1280L)) 139L "within the binomial band"
            Expect.isLessThan (abs (some - int count.Applied)) 15 "the counter counts what changed")
    test "every augmentation that has settings is in the catalogue, under the name of its settings" {
        // Added is a place for somebody's own augmentation, which the catalogue cannot know.
        let settings =
            [ for p in typeof<AugmentationSettings>.GetProperties() do
                  if p.CanWrite && p.Name <> "Added" then Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName p.Name ]
        Expect.equal [ for entry in Augmentations.All -> entry.Name ] settings "names, in order"
        for entry in Augmentations.All do
            Expect.isNonEmpty entry.Shown $"{entry.Name} has something to show"
            for struct (label, shown) in entry.Shown do shown.Check()
    }
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
    test "augmentation settings out of range are refused by their path" {
        let refused (settings: AugmentationSettings) (said: string) = Expect.stringContains (messageOf settings.Check) said said
        for entry in Augmentations.All do
            for wrong in [ -0.1; 1.5; nan ] do
                refused (entry.Alone.Invoke wrong) $"training.augmentation.{entry.Name.Replace('-', '_')}.probability is"
        refused (AugmentationSettings(Mixup = MixupSettings(Alpha = 0.0))) "training.augmentation.mixup.alpha is 0"
        refused (AugmentationSettings(Mixup = MixupSettings(Others = 0))) "training.augmentation.mixup.others is 0"
        refused (AugmentationSettings(Mixup = MixupSettings(Others = 3, MinWeight = 0.3))) "training.augmentation.mixup.min_weight is 0.3"
        refused (AugmentationSettings(CutMix = CutMixSettings(Alpha = -1.0))) "training.augmentation.cut_mix.alpha is -1"
        refused (AugmentationSettings(Noise = NoiseSettings(MinSnrDb = 20.0, MaxSnrDb = 10.0))) "training.augmentation.noise.min_snr_db is 20, above training.augmentation.noise.max_snr_db"
        refused (AugmentationSettings(Noise = NoiseSettings(Colours = "white punk"))) "'punk'"
        refused (AugmentationSettings(Noise = NoiseSettings(Colours = " "))) "training.augmentation.noise.colours is empty"
        refused (AugmentationSettings(GaussianNoise = GaussianNoiseSettings(MaxSnrDb = infinity))) "training.augmentation.gaussian_noise.max_snr_db is"
        refused (AugmentationSettings(Background = BackgroundSettings(MinSnrDb = -100.0))) "training.augmentation.background.min_snr_db is -100"
        refused (AugmentationSettings(Gain = GainSettings(MaxDb = 1000.0))) "training.augmentation.gain.max_db is 1000"
        refused (AugmentationSettings(Speed = SpeedSettings(MinFactor = 0.0))) "training.augmentation.speed.min_factor is 0"
        refused (AugmentationSettings(TimeStretch = TimeStretchSettings(MaxFactor = 9.0))) "training.augmentation.time_stretch.max_factor is 9"
        refused (AugmentationSettings(PitchShift = PitchShiftSettings(MinSemitones = nan))) "training.augmentation.pitch_shift.min_semitones is NaN"
        refused (AugmentationSettings(Reverberation = ReverberationSettings(MaxWet = 2.0))) "training.augmentation.reverberation.max_wet is 2"
        refused (AugmentationSettings(Reverberation = ReverberationSettings(MinRt60 = 0.0))) "training.augmentation.reverberation.min_rt60 is 0"
        refused (AugmentationSettings(LowPass = LowPassSettings(Order = 3))) "training.augmentation.low_pass.order is 3: it must be even"
        refused (AugmentationSettings(HighPass = HighPassSettings(MinHz = 0.0))) "training.augmentation.high_pass.min_hz is 0"
        refused (AugmentationSettings(Equaliser = EqualiserSettings(Bands = 0))) "training.augmentation.equaliser.bands is 0"
        refused (AugmentationSettings(SpecAugment = SpecAugmentSettings(FrequencyShare = nan))) "training.augmentation.spec_augment.frequency_share is NaN"
        refused (AugmentationSettings(XyMasking = XyMaskingSettings(MaxXShare = 2.0))) "training.augmentation.xy_masking.max_x_share is 2"
        refused (AugmentationSettings(XyMasking = XyMaskingSettings(MinBoxes = 2))) "training.augmentation.xy_masking.min_boxes is 2, above"
    }
    torchTest "XY masks are as many and as large as asked, and hold what was asked" (fun () ->
        let random = Random 3
        let features = torch.tensor(Array.init (80 * 2 * 40 * 100) (fun _ -> float32 (random.NextDouble()))).reshape(80L, 2L, 40L, 100L)
        let masked fill (x: int * int) (y: int * int) (boxes: int) =
            let settings = XyMaskingSettings(Probability = 1.0, MinXMasks = fst x, MaxXMasks = snd x, MinYMasks = fst y, MaxYMasks = snd y, MinBoxes = boxes, MaxBoxes = boxes,
                                             MinXShare = 0.05, MaxXShare = 0.1, MinYShare = 0.1, MaxYShare = 0.2, Fill = fill)
            XyMasking(settings, -9.0).Apply(features, at 0 0 80, AugmentationCounts())
        let cells (t: torch.Tensor) (clip: int64) =
            let changed = t[clip].ne(features[clip])
            changed[0], changed[1]
        let strips, bands, boxes = masked MaskFill.MaskedValue (1, 3) (0, 0) 0, masked MaskFill.Mean (0, 0) (2, 2) 0, masked MaskFill.Minimum (0, 0) (0, 0) 1
        let widths = Collections.Generic.HashSet<int64>()
        for clip in 0L .. 79L do
            for t in [ strips; bands; boxes ] do
                let a, b = cells t clip
                // The smallest cell, in one channel, is what it was filled with.
                Expect.isLessThanOrEqual (a.ne(b).sum().item<int64>()) 1L "all channels alike"
            let mask = fst (cells strips clip)
            Expect.isTrue (mask.all(0L).eq(mask.any(0L)).all().item<bool>()) "whole columns"
            let columns = mask[0].sum().item<int64>()
            Expect.isTrue (columns >= 5L && columns <= 30L) $"{columns} columns"
            widths.Add columns |> ignore
            let mask = fst (cells bands clip)
            Expect.isTrue (mask.all(1L).eq(mask.any(1L)).all().item<bool>()) "whole rows"
            let rows = mask.select(1L, 0L).sum().item<int64>()
            Expect.isTrue (rows >= 4L && rows <= 16L) $"{rows} rows"
            let mean = features[clip].mean().item<float32>()
            let filled = bands[clip].masked_select(bands[clip].ne(features[clip]))
            Expect.isLessThan (filled.max().item<float32>() - filled.min().item<float32>()) 1e-6f "one value"
            Expect.isLessThan (abs (filled.mean().item<float32>() - mean)) 1e-4f "the clip's mean"
            let mask = fst (cells boxes clip)
            let width, height = mask.any(0L).sum().item<int64>(), mask.any(1L).sum().item<int64>()
            Expect.isTrue (width >= 5L && width <= 10L && height >= 4L && height <= 8L) $"a box of {width} x {height}"
            // The smallest cell may lie in the box and does not change then.
            Expect.isTrue (abs (mask.sum().item<int64>() - width * height) <= 1L) "a whole box"
            let filled = boxes[clip].masked_select(boxes[clip].ne(features[clip]))
            Expect.equal (filled.max().item<float32>()) (features[clip].min().item<float32>()) "the clip's smallest"
        Expect.isGreaterThan widths.Count 10 "of many widths"
        Expect.isTrue (strips.masked_select(strips.ne features).eq(torch.tensor -9.0f).all().item<bool>()) "the front-end's value")
]

/// Everything at once, always.
let private all =
    AugmentationSettings(
        TimeShift = TimeShiftSettings(Probability = 1.0), Speed = SpeedSettings(Probability = 1.0), TimeStretch = TimeStretchSettings(Probability = 1.0),
        PitchShift = PitchShiftSettings(Probability = 1.0), Reverberation = ReverberationSettings(Probability = 1.0),
        Background = BackgroundSettings(Probability = 1.0, Source = BackgroundSource.Training), Noise = NoiseSettings(Probability = 1.0),
        GaussianNoise = GaussianNoiseSettings(Probability = 1.0), HighPass = HighPassSettings(Probability = 1.0), LowPass = LowPassSettings(Probability = 1.0),
        Equaliser = EqualiserSettings(Probability = 1.0), Gain = GainSettings(Probability = 1.0), Polarity = PolaritySettings(Probability = 1.0),
        Mixup = MixupSettings(Probability = 1.0, Others = 2), CutMix = CutMixSettings(Probability = 1.0), SpecAugment = SpecAugmentSettings(Probability = 1.0),
        XyMasking = XyMaskingSettings(Probability = 1.0))

let private settings augmentation = TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 1.0, LearningRate = 2e-3, EvaluationWindows = 2, EvaluateEvery = 3, Augmentation = augmentation)
let private countsOf (trainer: Trainer) = [ for KeyValue(name, count) in trainer.AugmentationCounts.All -> name, count ]

let private inTraining = [
    torchTest "validation is never augmented: with everything on it equals that of a trainer with nothing on, bit for bit, twice" (fun () ->
        let loud, model = TrainingTests.trainer (settings all) 1
        loud.Run()
        let quiet, copy = TrainingTests.trainer (settings AugmentationSettings.Off) 1
        use _ = torch.no_grad()
        for KeyValue(name, value) in copy.state_dict() do value.copy_ (model.state_dict().[name]) |> ignore
        let clips = Splits.Of(TrainingTests.tinyData.Force(), Nullable()).Validation
        let scores (trainer: Trainer) =
            let e = trainer.Evaluate(clips, "focal")
            e.Scores.Values.ToArray(), e.Loss
        let once = scores loud
        Expect.equal (scores loud) once "twice"
        Expect.equal (scores quiet) once "as without augmentation"
        for name, count in countsOf loud do Expect.equal count.Applied count.Offered $"{name} was applied to every training sample"
        Expect.all (countsOf loud) (fun (_, count) -> count.Offered = 3L * int64 (Splits.Of(TrainingTests.tinyData.Force(), Nullable()).Train.Count)) "and offered nothing else")
    torchTest "counters of a training that was stopped are those of an undisturbed one" (fun () ->
        let half = AugmentationSettings(Gain = GainSettings(Probability = 0.5), Noise = NoiseSettings(Probability = 0.3))
        let whole, _ = TrainingTests.trainer (settings half) 5
        whole.Run()
        for stop in 1..2 do
            let file = Scratch.path $"counts{stop}.safetensors"
            let stopped, _ = TrainingTests.trainer (settings half) 5
            use source = new Threading.CancellationTokenSource()
            // Once the epoch after is under way.
            let stopWithin =
                { new IProgress<TrainingProgress> with
                    member _.Report p = TrainingTests.afterEpoch (fun row -> if row.Epoch = stop then source.CancelAfter 20) p }
            (try stopped.Run(file, stopWithin, source.Token) with :? OperationCanceledException -> ())
            let resumed, _ = TrainingTests.trainer (settings half) 5
            resumed.Run file
            Expect.equal (countsOf resumed) (countsOf whole) $"stopped after epoch {stop}"
            for a, b in Seq.zip resumed.Rows whole.Rows do
                Expect.equal [ for KeyValue(n, c) in a.Augmentations -> n, c ] [ for KeyValue(n, c) in b.Augmentations -> n, c ] "by epoch")
    torchTest "a training that asks for backgrounds on a data set without any says so" (fun () ->
        let wanted = AugmentationSettings(Background = BackgroundSettings(Probability = 0.5))
        Expect.stringContains (messageOf (fun () -> TrainingTests.trainer (settings wanted) 1)) "has no soundscapes without labels" "trainer"
        let trial = BirdResearch.Experiments.Trial(Data = (TrainingTests.tinyData.Force()).Root, Training = settings wanted)
        let store = BirdResearch.Experiments.RunStore(IO.Path.GetTempPath())
        Expect.stringContains (messageOf (fun () -> BirdResearch.Experiments.TrialRunner(store).Complete trial)) "has no soundscapes without labels" "before anything is trained")
]

let tests : Test = testSequencedGroup "torch" (testList "Augmentation" (augmentation @ inTraining))
