module BirdResearch.Tests.SparseCodeTests

open System
open System.IO
open Expecto
open TorchSharp
open BirdResearch.Experiments
open BirdResearch.Features
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Training
open BirdResearch.Tests.Tensors

let private settingsOf expansion =
    FrontEndSettings(Kind = "expand-and-sparsify", Mel = MelSettings(Mels = 12, Fft = 512, Hop = 400), Expansion = expansion)

let private small = ExpansionSettings(Outputs = 40, K = 6, Window = 5, Stride = 3, Seed = 11)

let private with' rule projection patch binary =
    ExpansionSettings(
        Outputs = small.Outputs, K = small.K, Window = small.Window, Stride = small.Stride, Seed = small.Seed, Rule = rule,
        Projection = projection, Patch = patch, Binary = binary)

/// A front-end that has seen some sound, where it has to.
let private fitted (settings: FrontEndSettings) =
    let frontEnd = new ExpandAndSparsify(settings)
    frontEnd.Fit [ sound 3 (settings.SampleRate / 2) ]
    frontEnd

let private melSeries (settings: FrontEndSettings) (x: torch.Tensor) =
    use mel = FrontEnds.Create(FrontEndSettings(Kind = "mel", Mel = settings.Mel))
    mel.forward(x).squeeze 1L

let private buffer (frontEnd: ExpandAndSparsify) wanted =
    frontEnd.named_buffers() |> Seq.pick (fun struct (name, b) -> if name = wanted then Some b else None)

let private rules = [ SparsityRule.PerStep; SparsityRule.PerClip; SparsityRule.Threshold ]
let private projections = [ Projection.Gaussian; Projection.SparseBinary; Projection.Attuned ]
let private patches = [ PatchScaling.Raw; PatchScaling.Centred; PatchScaling.UnitNorm ]

let private projecting = [
    for patch in patches do
        torchTest $"a sparse projection of {patch} patches is its kernel written out, at any stride and window" (fun () ->
            for mels, window, stride, frames, inputs in [ 12, 5, 3, 40, 4; 7, 8, 2, 157, 9; 64, 1, 1, 33, 3; 5, 4, 4, 4, 20; 9, 16, 5, 200, 1 ] do
                let expansion =
                    ExpansionSettings(
                        Outputs = 37, K = 3, Window = window, Stride = stride, Projection = Projection.SparseBinary, Inputs = Nullable inputs, Patch = patch)
                use frontEnd = new ExpandAndSparsify(FrontEndSettings(Kind = "expand-and-sparsify", Mel = MelSettings(Mels = mels), Expansion = expansion))
                torch.manual_seed 3L |> ignore
                let series = torch.randn(3L, int64 mels, int64 frames) + torch.tensor 1.5f
                series.narrow(0, 1L, 1L).narrow(2, 0L, int64 (min frames (window + 1))).fill_(torch.tensor(-1.25f).ToScalar()) |> ignore // flat
                let fast, slow = frontEnd.Activations series, frontEnd.Reference(series.``to`` torch.float64)
                Expect.equal fast.shape slow.shape "shape"
                Expect.isLessThan (widest (numbers fast) (numbers slow)) 1e-5 $"{mels} mels, window {window}, stride {stride}")
    torchTest "every unit of a sparse projection reads as many different cells as asked for, others with another seed" (fun () ->
        let kernel inputs share seed =
            let expansion = ExpansionSettings(Outputs = 200, Window = 4, Projection = Projection.SparseBinary, Inputs = inputs, InputShare = share, Seed = seed)
            use frontEnd = new ExpandAndSparsify(FrontEndSettings(Kind = "expand-and-sparsify", Mel = MelSettings(Mels = 25), Expansion = expansion))
            let probe = torch.eye(100L, dtype = torch.float64).reshape(100L, 25L, 4L) // a patch per cell
            (frontEnd.Reference probe).squeeze(1L).t() |> numbers |> Array.chunkBySize 100
        for inputs, share, want in [ Nullable 7, 0.5, 7; Nullable(), 0.08, 8; Nullable(), 1.0, 100 ] do
            for row in kernel inputs share 1 do
                Expect.equal (row |> Array.filter (fun w -> w <> 0.0) |> Array.length) want "cells"
                Expect.floatClose Accuracy.medium (row |> Array.sumBy (fun w -> w * w)) 1.0 "unit norm"
        Expect.equal (kernel (Nullable 7) 0.5 1) (kernel (Nullable 7) 0.5 1) "again"
        Expect.notEqual (kernel (Nullable 7) 0.5 1) (kernel (Nullable 7) 0.5 2) "another seed"
        let uses = kernel (Nullable 7) 0.5 1 |> Array.map (Array.map (fun w -> float (sign w))) |> Array.reduce (Array.map2 (+))
        Expect.isGreaterThan (Array.min uses) 2.0 "no cell is left out"
        Expect.isLessThan (Array.max uses) 40.0 "none is preferred")
    torchTest "centred patches leave loudness out, patches of unit norm leave contrast out too" (fun () ->
        let activations patch (series: torch.Tensor) =
            use frontEnd = new ExpandAndSparsify(settingsOf (with' SparsityRule.PerStep Projection.Gaussian patch true))
            numbers (frontEnd.Activations series)
        torch.manual_seed 4L |> ignore
        let series = torch.randn(2L, 12L, 30L, dtype = torch.float64).``to`` torch.float32
        let louder, stronger = series + torch.tensor 3.0f, series * torch.tensor 2.5f
        Expect.isGreaterThan (widest (activations PatchScaling.Raw louder) (activations PatchScaling.Raw series)) 0.5 "raw patches hear it"
        Expect.isLessThan (widest (activations PatchScaling.Centred louder) (activations PatchScaling.Centred series)) 1e-5 "loudness"
        let twice = activations PatchScaling.Centred series |> Array.map (fun a -> 2.5 * a)
        Expect.isLessThan (widest (activations PatchScaling.Centred stronger) twice) 1e-5 "contrast counts"
        Expect.isLessThan (widest (activations PatchScaling.UnitNorm stronger) (activations PatchScaling.UnitNorm series)) 1e-6 "contrast") ]

let private sparsifying = [
    for rule in rules do
        for binary in [ true; false ] do
            let form = if binary then "binary" else "real-valued"
            torchTest $"the {form} code by {rule} is what plain loops keep" (fun () ->
                let settings = settingsOf (with' rule Projection.Gaussian PatchScaling.Raw binary)
                use frontEnd = fitted settings
                let x = sound 2 16000
                let activations = frontEnd.Activations(melSeries settings x)              // (B, T', n)
                let clips, steps, units = activations.shape[0], int activations.shape[1], int activations.shape[2]
                let thresholds = if rule = SparsityRule.Threshold then numbers (buffer frontEnd "thresholds") else [||]
                let kept (clip: int64) =
                    let values = numbers activations[clip]
                    let best count (places: int[]) = places |> Array.sortBy (fun i -> -values[i], i) |> Array.truncate count |> Set
                    let stays =
                        match rule with
                        | SparsityRule.PerStep -> Set.unionMany [ for t in 0 .. steps - 1 -> best 6 [| t * units .. (t + 1) * units - 1 |] ]
                        | SparsityRule.PerClip -> best (6 * steps) [| 0 .. values.Length - 1 |]
                        | _ -> Set [ for i in 0 .. values.Length - 1 do if values[i] > thresholds[i % units] then i ]
                    [| for unit in 0 .. units - 1 do
                         for t in 0 .. steps - 1 do
                             let i = t * units + unit
                             if stays.Contains i then (if binary then 1.0 else values[i]) else 0.0 |]
                let want = [| for clip in 0L .. clips - 1L do yield! kept clip |]
                Expect.equal (numbers (frontEnd.forward x)) want "code"
                Expect.isGreaterThan (want |> Array.filter (fun v -> v <> 0.0) |> Array.length) 20 "something stays")
    torchTest "a code written in one pass is torch's, for contests of a step and of a clip" (fun () ->
        torch.manual_seed 5L |> ignore
        let activations = torch.randn(3L, 11L, 23L)
        for contests, k in [ activations, 4; activations.flatten(1L).unsqueeze 1L, 60 ] do
            let winners = WinnerTakeAll.Indices(contests, k)
            for binary in [ true; false ] do
                Expect.equal (numbers (SparseCode.Written(activations, winners, binary))) (numbers (SparseCode.Reference(activations, winners, binary))) $"k {k}")
    torchTest "winners do not depend on the number of threads" (fun () ->
        torch.manual_seed 6L |> ignore
        let activations = torch.randn(8L, 157L, 512L)
        let before = torch.get_num_threads ()
        try
            torch.set_num_threads 1
            let alone = WinnerTakeAll.Indices(activations, 32)
            torch.set_num_threads 3
            Expect.isTrue (WinnerTakeAll.Indices(activations, 32).equal(alone).all().item<bool>()) "on three"
            Expect.isTrue (WinnerTakeAll.Sorted(activations, 32).equal(alone).all().item<bool>()) "by sorting"
        finally
            torch.set_num_threads before) ]

let private fitting = [
    torchTest "thresholds let each unit fire in its share of the training windows" (fun () ->
        let settings = settingsOf (with' SparsityRule.Threshold Projection.Gaussian PatchScaling.UnitNorm true)
        use frontEnd = new ExpandAndSparsify(settings)
        let batches = [ for i in 1..4 -> torch.randn(4L, 32000L) * torch.tensor (0.1f * float32 i) ]
        frontEnd.Fit batches
        let code = torch.cat([| for x in batches -> frontEnd.forward x |], 0L)               // (B, 1, n, T')
        let rates = numbers (code.mean([| 0L; 1L; 3L |]))
        let windows = float (code.shape[0] * code.shape[3])
        for rate in rates do Expect.isLessThan (abs (rate - 6.0 / 40.0)) (1.0 / windows) $"of {windows} windows")
    torchTest "attuned kernels are patches of the training sound, centred and of unit norm" (fun () ->
        let settings = settingsOf (with' SparsityRule.PerStep Projection.Attuned PatchScaling.UnitNorm true)
        use frontEnd = new ExpandAndSparsify(settings)
        let x = sound 3 16000
        frontEnd.Fit [ x ]
        let series = melSeries settings x
        let seen = series.unfold(2L, 5L, 1L).transpose(1, 2).flatten(2L).flatten(0L, 1L)      // every patch, (P, 60)
        let seen = seen - seen.mean([| -1L |], keepdim = true)
        let seen = seen / seen.norm(-1, keepdim = true)
        let kernel = (buffer frontEnd "kernel").flatten 1L
        let likeness = torch.matmul(kernel, seen.t())                                        // (n, P)
        let struct (best, which) = likeness.max 1L
        for value in numbers best do Expect.isLessThan (abs (value - 1.0)) 1e-5 "a patch"
        Expect.isGreaterThan (which.data<int64>().ToArray() |> Array.distinct |> Array.length) 15 "different ones")
    torchTest "fitting is a function of sound and seed, and its state does as well as its sound" (fun () ->
        for rule, projection in [ SparsityRule.Threshold, Projection.Gaussian; SparsityRule.Threshold, Projection.SparseBinary
                                  SparsityRule.PerStep, Projection.Attuned; SparsityRule.Threshold, Projection.Attuned ] do
            let settings = settingsOf (with' rule projection PatchScaling.Centred true)
            use first = fitted settings
            use second = fitted settings
            let x = sound 2 24000
            let code = numbers (first.forward x)
            Expect.equal (numbers (second.forward x)) code "fitted again"
            let file = Path.Combine(Directory.CreateTempSubdirectory("bird-fit-").FullName, FrontEndFitting.FileName)
            try
                FrontEndFitting.Save(first, file)
                use third = new ExpandAndSparsify(settings)
                Expect.isFalse third.IsFitted "before"
                FrontEndFitting.Load(third, file)
                Expect.isTrue third.IsFitted "after"
                Expect.equal (numbers (third.forward x)) code "loaded"
                use other = new ExpandAndSparsify(settingsOf (ExpansionSettings(Outputs = 41, K = 6, Window = 5, Rule = rule, Projection = projection)))
                let message = try FrontEndFitting.Load(other, file); "" with :? InvalidDataException as e -> e.Message
                Expect.stringContains message file "the file"
                Expect.stringContains message "another front-end" "what is wrong"
            finally
                Directory.Delete(nonNull (Path.GetDirectoryName file), true))
    torchTest "a front-end that was shown nothing says so, and what to do" (fun () ->
        for rule, projection, what in [ SparsityRule.Threshold, Projection.Gaussian, "thresholds"; SparsityRule.PerStep, Projection.Attuned, "attuned kernels" ] do
            use frontEnd = new ExpandAndSparsify(settingsOf (with' rule projection PatchScaling.Raw true))
            Expect.isGreaterThan frontEnd.FitClips 0 "it wants sound"
            let message = try frontEnd.forward(sound 1 16000) |> ignore; "" with :? InvalidOperationException as e -> e.Message
            Expect.stringContains message what "what is missing"
            Expect.stringContains message "Fit" "what to do"
            Expect.stringContains (messageOf (fun () -> frontEnd.Fit [])) "no training sound" "nothing to fit to"
        use silent = new ExpandAndSparsify(settingsOf (with' SparsityRule.PerStep Projection.Attuned PatchScaling.Raw true))
        Expect.stringContains (messageOf (fun () -> silent.Fit [ torch.zeros(2L, 16000L) ])) "silence" "only silence"
        use plain = new ExpandAndSparsify(settingsOf small)
        Expect.equal (plain.FitClips, plain.IsFitted) (0, true) "random projections need none")
    for name in ExpansionArms.All.Keys do
        torchTest $"{name} is sparse as it says, after sound and after silence" (fun () ->
            let settings = FrontEnds.Named name
            use frontEnd = FrontEnds.Create settings
            let noise = torch.cat([| (sound 4 64000); torch.randn(2L, 64000L) |], 0L)
            frontEnd.Fit [ noise ]
            let code = frontEnd.forward noise
            let share = code.ne(torch.tensor 0.0f).``to``(torch.float32).mean().item<float32>() |> float
            let want = float settings.Expansion.K / float settings.Expansion.Outputs
            Expect.isLessThan (abs (share / want - 1.0)) 0.02 $"{share} of {want}"
            Expect.isTrue (frontEnd.forward(torch.zeros(1L, 64000L)).isfinite().all().item<bool>()) "silence")
    test "settings of the expansion out of range are refused by name" {
        for setting, expansion in [
            "Expansion.InputShare is 0", ExpansionSettings(InputShare = 0.0)
            "Expansion.Inputs is 99: it must lie between 1 and 60", ExpansionSettings(Window = 5, Inputs = Nullable 99)
            "Expansion.FitClips is 0", ExpansionSettings(FitClips = 0)
            "Expansion.K is 512, all units", ExpansionSettings(K = 512, Rule = SparsityRule.Threshold) ] do
            Expect.stringContains (messageOf (fun () -> FrontEnds.Create(settingsOf expansion))) setting ""
    } ]

let private trialOf frontEnd =
    Trial(
        Data = (TrainingTests.tinyData.Force ()).Root, Model = "mlp_tiny", FrontEnd = frontEnd,
        Training = TrainingSettings(Budget = Budget.OfEpochs 3, BatchSize = 4, WindowSeconds = 2.0, EvaluationWindows = 2))

let private running = [
    test "a run fits its front-end to training recordings, saves the state, and scores the same when stopped and resumed" {
        let trial = trialOf "es64-attuned-threshold"
        let store = ExperimentTests.freshStore ()
        let undisturbed = TrialRunner(store).Run("a", trial)
        let file = Path.Combine(store.FolderOf("a", undisturbed.Name), FrontEndFitting.FileName)
        Expect.isTrue (File.Exists file) "the state is with the run"
        let other = ExperimentTests.freshStore ()
        use source = new Threading.CancellationTokenSource()
        let stop =
            { new IProgress<RunEvent> with
                member _.Report e = TrainingTests.afterEpoch (fun row -> if row.Epoch = 2 then source.Cancel()) e.Training }
        Expect.throwsT<OperationCanceledException> (fun () -> TrialRunner(other).Run("a", trial, stop, source.Token) |> ignore) "stopped"
        let partial = Path.Combine(other.PartialFolderOf("a", undisturbed.Name), FrontEndFitting.FileName)
        let written = File.GetLastWriteTimeUtc partial
        Expect.equal (File.ReadAllBytes partial) (File.ReadAllBytes file) "the same state"
        let resumed = TrialRunner(other).Run("a", trial)
        Expect.equal (File.GetLastWriteTimeUtc(Path.Combine(other.FolderOf("a", resumed.Name), FrontEndFitting.FileName))) written "it was loaded, not fitted again"
        for domain in [ "train"; "focal"; "soundscape" ] do
            Expect.equal resumed.Scores[domain] undisturbed.Scores[domain] domain
    }
    test "what is held out has no part in the fitted state" {
        use _ = torch.NewDisposeScope()
        let data = TrainingTests.tinyData.Force()
        let split = BirdResearch.Data.Splits.Of(data, Nullable())
        let state (split: BirdResearch.Data.Split) =
            use frontEnd = FrontEnds.Create "es64-threshold"
            let reader = BirdResearch.Data.WindowReader(data, frontEnd.SampleRate, 2.0)
            FrontEndFitting.Prepare(frontEnd, reader, data, split, 1, null)
            [ for struct (key, tensor) in StateDictionary.Of frontEnd -> key, numbers tensor ]
        let cut (clips: Collections.Generic.IReadOnlyList<BirdResearch.Data.Clip>) = Collections.Generic.List(Seq.truncate 1 clips)
        Expect.isGreaterThan split.Validation.Count 1 "something is held out"
        let sides train validation =
            BirdResearch.Data.Split(
                Train = train, Validation = validation, Fold = split.Fold, Folds = split.Folds, Rule = split.Rule,
                ClassesWithoutTraining = [||], ClassesWithoutValidation = [||])
        Expect.equal (state (sides split.Train (cut split.Validation))) (state split) "validation"
        Expect.notEqual (state (sides (Collections.Generic.List(Seq.truncate 3 split.Train)) split.Validation)) (state split) "training"
    } ]

/// Output and gradient of the kernel by one way of convolving.
let private outcome (convolve: torch.Tensor -> torch.Tensor) (weight: torch.Tensor) =
    use leaf = weight.detach().clone().requires_grad_()
    let y = convolve leaf
    let slope = torch.linspace(-1.0, 1.0, y.numel()).reshape(y.shape).``to`` y.dtype
    (y * slope).sum().backward()
    y, (nonNull leaf.grad).clone()

let private convolving = [
    torchTest "a convolution over the cells of a code is torch's dense one: values and the gradient of the kernel" (fun () ->
        for clips, rows, frames, width, kernel, stride, padding in
            [ 2L, 40L, 30L, 16L, 7L, 2L, 3L; 3L, 512L, 157L, 64L, 7L, 2L, 3L; 1L, 5L, 9L, 3L, 5L, 1L, 2L; 2L, 33L, 17L, 71L, 1L, 3L, 0L; 1L, 8L, 4L, 32L, 7L, 2L, 3L ] do
            torch.manual_seed 8L |> ignore
            let dense = torch.randn(clips, rows, frames) * torch.rand(clips, rows, frames).lt(torch.tensor 0.1f).``to``(torch.float32)
            let weight = torch.randn(width, rows, kernel)
            let code = nonNull (SparseSeries.Of(dense, 1.0))
            let fast, fastGradient = outcome (fun w -> SparseConvolution.Apply(code, w, stride, padding)) weight
            let wide = dense.``to`` torch.float64
            let slow, slowGradient = outcome (fun w -> SparseConvolution.Reference(wide, w, stride, padding)) (weight.``to`` torch.float64)
            Expect.equal fast.shape slow.shape "shape"
            Expect.isLessThan (widest (numbers fast) (numbers slow)) 1e-4 $"values of {rows} x {frames}"
            Expect.isLessThan (widest (numbers fastGradient) (numbers slowGradient)) 1e-4 $"gradient of {rows} x {frames}")
    torchTest "the cells of a series are those that are not zero, NaN among them" (fun () ->
        let series = torch.zeros(2L, 9L, 21L)
        series[0, 3, 20] <- torch.tensor nanf
        series[1, 8, 0] <- torch.tensor -2.0f
        let code = nonNull (SparseSeries.Of(series, 0.5))
        Expect.equal (code.Clips, code.Rows, code.Frames, code.Cells) (2, 9, 21, 2L) "cells"
        let y = SparseConvolution.Apply(code, torch.ones(4L, 9L, 3L), 1L, 1L)
        Expect.equal (y.isnan().sum().item<int64>()) 8L "NaN reaches two frames of four rows"
        Expect.equal (y[1].sum().item<float32>()) -16.0f "the other clip")
    torchTest "a series with many cells, of another precision or asked for a gradient takes torch's convolution" (fun () ->
        Expect.isNull (SparseSeries.Of(torch.ones(2L, 4L, 8L), 0.5)) "dense"
        let half = torch.zeros(2L, 4L, 8L)
        half[1].fill_(torch.tensor(1.0f).ToScalar()) |> ignore
        Expect.isNull (SparseSeries.Of(half, 0.3)) "dense after the first clip"
        Expect.isNull (SparseSeries.Of(torch.zeros([| 2L; 4L; 8L |], torch.float64), 0.5)) "float64"
        Expect.isNull (SparseSeries.Of(torch.zeros(2L, 8L, 4L).transpose(1, 2), 0.5)) "a view"
        let series = torch.zeros(1L, 4L, 8L).requires_grad_()
        Expect.isNull (SparseConvolution.Try(series, torch.ones(2L, 4L, 3L), 1L, 1L)) "a gradient is asked of it"
        let asked = withForm "reference" (fun () -> SparseConvolution.Try(torch.zeros(1L, 4L, 8L), torch.ones(2L, 4L, 3L), 1L, 1L))
        Expect.isNull asked "the reference is asked for")
    torchTest "kernels that do not fit are refused with both sizes" (fun () ->
        let code = nonNull (SparseSeries.Of(torch.zeros(1L, 4L, 3L), 0.5))
        Expect.stringContains (messageOf (fun () -> SparseConvolution.Apply(code, torch.ones(2L, 5L, 3L), 1L, 1L))) "series of 4 rows" "rows"
        Expect.stringContains (messageOf (fun () -> SparseConvolution.Apply(code, torch.ones(2L, 4L, 9L), 1L, 1L))) "longer than 3 frames" "frames")
    torchTest "a time-series ResNet learns from a code by its cells as it does by the written-out code" (fun () ->
        torch.manual_seed 9L |> ignore
        let code = torch.rand(4L, 1L, 64L, 40L).lt(torch.tensor 0.06f).``to``(torch.float32)
        let gradients () =
            use model = Classifiers.Create("tsresnet_tiny", 3, InputShape(1L, 64L, 40L), ModelOptions(Seed = Nullable 2))
            let logits = model.call code
            logits.square().sum().backward()
            numbers logits, [ for struct (key, p) in model.named_parameters() -> key, numbers (nonNull p.grad) ]
        let fast, fastGradients = gradients ()
        let slow, slowGradients = withForm "reference" gradients
        Expect.isLessThan (widest fast slow) 1e-4 "logits"
        Expect.notEqual fast slow "not the same way"
        for (key, a), (_, b) in List.zip fastGradients slowGradients do
            let scale = b |> Array.fold (fun m v -> max m (abs v)) 1e-3
            Expect.isLessThan (widest a b / scale) 1e-3 key) ]

let tests : Test =
    testSequencedGroup "torch" (testList "Sparse code" [
        testList "projections" projecting
        testList "rules" sparsifying
        testList "fitting" fitting
        testList "runs" running
        testList "convolution" convolving
    ])
