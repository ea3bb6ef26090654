module BirdResearch.Tests.FeaturesTests

open System
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Tests.Tensors

// ---- Front-ends ----

let private fiveSeconds = dict [
    "mel", [| 1L; 128L; 320L |]
    "mel-64", [| 1L; 64L; 160L |]
    "mel-quantile", [| 1L; 128L; 320L |]
    "mel-64-quantile", [| 1L; 64L; 160L |]
    "mel-matched", [| 1L; 128L; 320L |]
    "mel-64-matched", [| 1L; 64L; 160L |]
    "pcen", [| 1L; 128L; 320L |]
    "pcen-64", [| 1L; 64L; 160L |]
    "kaldi-fbank", [| 1L; 128L; 498L |]
    "ssamba-fbank", [| 1L; 128L; 512L |]
    "ssamba-fbank-10s", [| 1L; 128L; 1024L |]
    "expand-and-sparsify", [| 1L; 512L; 157L |]
    "expand-and-sparsify-64", [| 1L; 256L; 77L |]
    "waveform-16k", [| 1L; 1L; 80000L |]
    "waveform-16k-peak", [| 1L; 1L; 80000L |]
    "waveform-32k", [| 1L; 1L; 160000L |] ]

let private normalised kind normalisation channels =
    let mel = MelSettings(Mels = 20, Fft = 512, Hop = 250)
    FrontEndSettings(Kind = kind, Mel = mel, Normalisation = normalisation, Mean = -30.0, Std = 12.0, Channels = channels)

let private frontEnds = [
    for entry in FrontEnds.All do
        torchTest $"{entry.Key} says beforehand how many frames it gives" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            for samples in [ 9000; 16000; 16001; 31999; 32000; 32001; 33333; 47999; 64500; 80000 ] do
                let want = [| 2L; int64 frontEnd.Channels; int64 frontEnd.Rows; frontEnd.Frames(int64 samples) |]
                Expect.equal (frontEnd.forward(sound 2 samples).shape) want $"{samples} samples")
        torchTest $"{entry.Key} of 5 s has the shape that the catalogue promises" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            let want = fiveSeconds[entry.Key]
            Expect.equal (frontEnd.forward(sound 1 (5 * frontEnd.SampleRate)).shape) (Array.append [| 1L |] want) "")
        torchTest $"{entry.Key} of silence, an impulse and a loud constant is finite" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            let impulse = torch.zeros(1L, 32000L)
            impulse[0, 16000] <- torch.tensor 1.0f
            let loud = torch.ones(1L, 32000L) * torch.tensor 1e4f
            for what, x in [ "silence", torch.zeros(1L, 32000L); "an impulse", impulse; "a loud constant", loud ] do
                Expect.isTrue (frontEnd.forward(x).isfinite().all().item<bool>()) what)
        torchTest $"{entry.Key} of too short a clip is an error that says how long it must be" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            let message = messageOf (fun () -> frontEnd.forward(sound 1 100))
            Expect.stringContains message "100 samples" ""
            Expect.stringContains message "lengthen the clip" ""
            Expect.equal (messageOf (fun () -> frontEnd.Frames 100L)) message "Frames says the same")
        torchTest $"{entry.Key} runs without a gradient and leaves no tensor behind" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            let x = (sound 3 32000).requires_grad_()
            let run () =
                use y = frontEnd.forward (x: torch.Tensor)
                Expect.isFalse y.requires_grad "gradient"
            run ()
            let before = settledTensors ()
            for _ in 1..20 do run ()
            Expect.isLessThanOrEqual torch.Tensor.TotalCount before "live tensors")
        torchTest $"{entry.Key} works in float64" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            let x = sound 1 32000
            let narrow = frontEnd.forward x
            frontEnd.``to``(torch.float64) |> ignore
            let wide = frontEnd.forward(x.``to``(torch.float64))
            Expect.equal wide.dtype torch.float64 "precision"
            let changed = (wide - narrow).abs().gt(torch.tensor 1e-2).sum().item<int64>()
            Expect.isLessThanOrEqual changed (if entry.Key.StartsWith "expand" then 4L else 0L) "agrees with float32")
    torchTest "the mel front-end is the normalised mel spectrogram without a frame beyond the clip's end" (fun () ->
        let settings = FrontEnds.Named "mel" |> fun s -> FrontEndSettings(Kind = "mel", Mel = s.Mel, Normalisation = Normalisation.None)
        use frontEnd = FrontEnds.Create settings
        use mel = new MelSpectrogram(settings.Mel, 32000)
        let x = sound 2 32000
        Expect.equal (mel.forward(x).shape[2]) 65L "frames of the spectrogram"
        let error = widest (numbers (frontEnd.forward x)) (numbers (mel.forward(x).narrow(2, 0L, 64L)))
        Expect.isLessThan error 1e-4 "the same decibels")
    torchTest "per-clip normalisation gives each clip mean 0 and deviation 1, and silence exactly 0" (fun () ->
        use frontEnd = FrontEnds.Create(normalised "mel" Normalisation.PerClip 1)
        let x = sound 3 16000 * shaped [ 3L; 1L ] [| 1.0f; 0.01f; 0.0f |]
        let y = frontEnd.forward x
        for clip in 0..1 do
            let values = numbers y[clip]
            Expect.isLessThan (abs (Array.average values)) 1e-4 "mean"
            Expect.isLessThan (abs (Array.averageBy (fun v -> v * v) values - 1.0)) 1e-3 "variance"
        Expect.allEqual (numbers y[2]) 0.0 "silence")
    torchTest "fixed normalisation takes off the mean and divides by the deviation" (fun () ->
        let x = sound 2 16000
        use plain = FrontEnds.Create(normalised "mel" Normalisation.None 1)
        use scaled = FrontEnds.Create(normalised "mel" Normalisation.Fixed 1)
        let want = numbers (plain.forward x) |> Array.map (fun v -> (v + 30.0) / 12.0)
        Expect.isLessThan (widest (numbers (scaled.forward x)) want) 1e-5 "")
    torchTest "three channels are the same features three times" (fun () ->
        for kind in [ "mel"; "pcen"; "kaldi-fbank"; "expand-and-sparsify"; "waveform" ] do
            use one = FrontEnds.Create(normalised kind Normalisation.PerClip 1)
            use three = FrontEnds.Create(normalised kind Normalisation.PerClip 3)
            let x = sound 2 16000
            let a, b = one.forward x, three.forward x
            Expect.equal b.shape[1] 3L kind
            for channel in 0L .. 2L do
                Expect.isTrue (b.narrow(1, channel, 1L).equal(a).all().item<bool>()) $"{kind} channel {channel}")
    torchTest "a fbank front-end pads with zeros or cuts before it normalises" (fun () ->
        let settings target =
            FrontEndSettings(
                Kind = "kaldi-fbank", SampleRate = 16000, Fbank = FbankSettings(TargetFrames = target),
                Normalisation = Normalisation.Fixed, Mean = -4.0, Std = 8.0)
        let x = sound 1 16000
        let all = FrontEnds.Create(settings (Nullable())).forward x
        let cut, long = FrontEnds.Create(settings (Nullable 50)).forward x, FrontEnds.Create(settings (Nullable 120)).forward x
        Expect.equal (all.shape[3], cut.shape[3], long.shape[3]) (98L, 50L, 120L) "frames"
        Expect.equal (numbers cut) (numbers (all.narrow(3, 0, 50))) "cut"
        Expect.equal (numbers (long.narrow(3, 0, 98))) (numbers all) "kept"
        Expect.allEqual (numbers (long.narrow(3, 98, 22))) 0.5 "(0 + 4) / 8")
    torchTest "raw sound is each clip without its mean, at root-mean-square 1, and silence stays 0" (fun () ->
        use frontEnd = FrontEnds.Create "waveform-16k"
        let x = sound 3 16000 * shaped [ 3L; 1L ] [| 1.0f; 0.01f; 0.0f |] + torch.tensor 0.25f
        let y = frontEnd.forward x
        let plain = numbers x[0]
        let mean = Array.average plain
        let rms = sqrt (Array.averageBy (fun v -> (v - mean) * (v - mean)) plain)
        Expect.isLessThan (widest (numbers y[0]) (plain |> Array.map (fun v -> (v - mean) / rms))) 1e-3 "clip 0"
        Expect.isLessThan (abs (Array.averageBy (fun v -> v * v) (numbers y[1]) - 1.0)) 2e-2 "a quiet clip is as loud"
        Expect.allEqual (numbers y[2]) 0.0 "silence")
    torchTest "peak normalisation fills [-1, 1] with each clip, without its mean" (fun () ->
        use frontEnd = FrontEnds.Create "waveform-16k-peak"
        let x = sound 3 16000 * shaped [ 3L; 1L ] [| 1.0f; 0.01f; 0.0f |] + torch.tensor 0.25f
        let y = frontEnd.forward x
        for clip in 0..1 do
            let values = numbers y[clip]
            Expect.isLessThan (abs (Array.average values)) 1e-5 "mean"
            Expect.floatClose Accuracy.medium (values |> Array.map abs |> Array.max) 1.0 "peak"
        Expect.allEqual (numbers y[2]) 0.0 "silence")
    torchTest "mu-law follows its formula, cuts what is too loud, and rounds to its levels" (fun () ->
        let settings levels =
            FrontEndSettings(
                Kind = "waveform", SampleRate = 16000, Waveform = WaveformSettings(Encoding = "mu-law", Levels = levels),
                Normalisation = Normalisation.None)
        let values = Array.init 400 (fun i -> float i / 160.0 - 1.25)
        let x = shaped [ 1L; 400L ] values
        let want = values |> Array.map (fun v -> let v = max -1.0 (min 1.0 v) in float (sign v) * log (1.0 + 255.0 * abs v) / log 256.0)
        use smooth = FrontEnds.Create(settings (Nullable()))
        Expect.isLessThan (widest (numbers (smooth.forward x)) want) 1e-12 "formula"
        use stepped = FrontEnds.Create(settings (Nullable 256))
        let rounded = numbers (stepped.forward x)
        Expect.isLessThan (widest rounded want) (1.0 / 255.0 + 1e-9) "within half a level"
        for v in rounded do Expect.isLessThan (abs ((v + 1.0) * 127.5 - round ((v + 1.0) * 127.5))) 1e-9 "on a level"
        Expect.equal (Array.min rounded, Array.max rounded) (-1.0, 1.0) "the extreme levels"
        Expect.equal (numbers x) values "the sound itself is untouched")
    torchTest "sound of the wrong shape or type is an error" (fun () ->
        use frontEnd = FrontEnds.Create "mel"
        Expect.stringContains (messageOf (fun () -> frontEnd.forward(torch.zeros 32000L))) "(clips, samples)" "one axis"
        Expect.stringContains (messageOf (fun () -> frontEnd.forward(torch.zeros([| 1L; 32000L |], torch.int16)))) "float32" "integers")
    test "an unknown front-end is an error that lists near names" {
        Expect.stringContains (messageOf (fun () -> FrontEnds.Named "mell")) "mel" ""
        Expect.stringContains (messageOf (fun () -> FrontEnds.Named "expand_and_sparsify")) "expand-and-sparsify" ""
        Expect.stringContains (messageOf (fun () -> FrontEnds.Create(FrontEndSettings(Kind = "fbank")))) "kaldi-fbank" ""
    }
    for setting, settings in [
        "SampleRate is 100", FrontEndSettings(Kind = "mel", SampleRate = 100)
        "Channels is 2", FrontEndSettings(Kind = "mel", Channels = 2)
        "Std is 0", FrontEndSettings(Kind = "mel", Normalisation = Normalisation.Fixed, Std = 0.0)
        "Std is NaN", FrontEndSettings(Kind = "mel", Normalisation = Normalisation.Fixed, Std = nan)
        "Mel.Fft is 0", FrontEndSettings(Kind = "mel", Mel = MelSettings(Fft = 0))
        "Mel.Hop is 0", FrontEndSettings(Kind = "mel", Mel = MelSettings(Hop = 0))
        "Mel.Mels is -1", FrontEndSettings(Kind = "mel", Mel = MelSettings(Mels = -1))
        "Mel.WindowLength is 2000", FrontEndSettings(Kind = "mel", Mel = MelSettings(WindowLength = 2000))
        "Mel.MaxHz is 40", FrontEndSettings(Kind = "mel", Mel = MelSettings(MaxHz = 40.0))
        "Mel.MaxHz is 14000: it must lie between 50 and 8000", FrontEndSettings(Kind = "mel", SampleRate = 16000)
        "Mel.Scale is 'bark'", FrontEndSettings(Kind = "mel", Mel = MelSettings(Scale = "bark"))
        "Mel.Padding is 'wrap'", FrontEndSettings(Kind = "mel", Mel = MelSettings(Padding = "wrap"))
        "Mel.TopDb is -3", FrontEndSettings(Kind = "mel", Mel = MelSettings(TopDb = -3.0))
        "Fbank.Bins is 0", FrontEndSettings(Kind = "kaldi-fbank", Fbank = FbankSettings(Bins = 0))
        "Fbank.Window is 'hann'", FrontEndSettings(Kind = "kaldi-fbank", Fbank = FbankSettings(Window = "hann"))
        "Fbank.MaxHz is 20000", FrontEndSettings(Kind = "kaldi-fbank", Fbank = FbankSettings(MaxHz = 20000.0))
        "Expansion.K is 600: it must lie between 1 and 512",
        FrontEndSettings(Kind = "expand-and-sparsify", Expansion = ExpansionSettings(K = 600))
        "Waveform.Encoding is 'a-law': it must be linear or mu-law",
        FrontEndSettings(Kind = "waveform", Waveform = WaveformSettings(Encoding = "a-law"))
        "Waveform.Mu is 0", FrontEndSettings(Kind = "waveform", Waveform = WaveformSettings(Encoding = "mu-law", Mu = 0.0))
        "Waveform.Levels is 1", FrontEndSettings(Kind = "waveform", Waveform = WaveformSettings(Encoding = "mu-law", Levels = Nullable 1))
        "Waveform.Levels is 256, but only", FrontEndSettings(Kind = "waveform", Waveform = WaveformSettings(Levels = Nullable 256))
        "Expansion.Stride is 0", FrontEndSettings(Kind = "expand-and-sparsify", Expansion = ExpansionSettings(Stride = 0)) ] do
        test $"a front-end whose {setting} is refused by that name" {
            Expect.stringContains (messageOf (fun () -> FrontEnds.Create settings)) setting ""
        }
]

// ---- Expand-and-sparsify ----

/// Expand-and-sparsify of one mel series (mels x frames) by loops: n_output x T'.
let private slowExpansion (s: ExpansionSettings) (kernel: float[]) (mels: int) (frames: int) (series: float[]) =
    let steps = 1 + (frames - s.Window) / s.Stride
    let code = Array.zeroCreate (s.Outputs * steps)
    for t in 0 .. steps - 1 do
        let activation u =
            Seq.sum (seq {
                for m in 0 .. mels - 1 do
                    for w in 0 .. s.Window - 1 -> kernel[(u * mels + m) * s.Window + w] * series[m * frames + t * s.Stride + w] })
        let activations = Array.init s.Outputs activation
        for u in Array.init s.Outputs id |> Array.sortBy (fun u -> -activations[u], u) |> Array.truncate s.K do
            code[u * steps + t] <- if s.Binary then 1.0 else activations[u]
    code

let private expansion binary =
    FrontEndSettings(
        Kind = "expand-and-sparsify", Mel = MelSettings(Mels = 12, Fft = 512, Hop = 400),
        Expansion = ExpansionSettings(Outputs = 40, K = 6, Window = 5, Stride = 3, Binary = binary, Seed = 11))

let private sparse = [
    for binary in [ true; false ] do
        let form = if binary then "binary" else "real-valued"
        torchTest $"a {form} code is the plain loops' code, with exactly k units per step" (fun () ->
            let settings = expansion binary
            use frontEnd = new ExpandAndSparsify(settings)
            use mel = FrontEnds.Create(FrontEndSettings(Kind = "mel", Mel = settings.Mel))
            frontEnd.``to``(torch.float64) |> ignore
            let x = (sound 2 16000).``to``(torch.float64)
            let code = frontEnd.forward x
            let series = mel.forward x
            let kernel = frontEnd.named_buffers() |> Seq.pick (fun struct (name, b) -> if name = "kernel" then Some(numbers b) else None)
            let slow (clip: int) = slowExpansion settings.Expansion kernel 12 (int series.shape[3]) (numbers series[clip])
            let want = Array.collect slow [| 0; 1 |]
            Expect.isLessThan (widest (numbers code) want) 1e-9 "code"
            Expect.allEqual (numbers (code.ne(torch.tensor 0.0).sum([| 2L |]))) 6.0 "units per step"
            Expect.equal code.shape [| 2L; 1L; 40L; frontEnd.Frames 16000L |] "shape")
    torchTest "of silence, where every activation is equal, the first k units stay" (fun () ->
        use frontEnd = new ExpandAndSparsify(expansion true)
        let code = frontEnd.forward(torch.zeros(1L, 16000L))
        Expect.allEqual (numbers (code.narrow(2, 0, 6))) 1.0 "first 6"
        Expect.allEqual (numbers (code.narrow(2, 6, 34))) 0.0 "the others")
    torchTest "the random kernel is a function of its seed, the same on every machine" (fun () ->
        let kernel seed =
            let e = ExpansionSettings(Outputs = 300, K = 6, Window = 5, Seed = seed)
            let settings = FrontEndSettings(Kind = "expand-and-sparsify", Mel = MelSettings(Mels = 12), Expansion = e)
            use frontEnd = new ExpandAndSparsify(settings)
            frontEnd.named_buffers() |> Seq.pick (fun struct (name, b) -> if name = "kernel" then Some(b.shape, numbers b) else None)
        let shape, values = kernel 11
        Expect.equal shape [| 300L; 12L; 5L |] "shape"
        Expect.equal (snd (kernel 11)) values "again"
        Expect.notEqual (snd (kernel 12)) values "another seed"
        let grid = values |> Array.map (fun v -> v * sqrt 60.0 * 4096.0 |> round |> int)
        Expect.equal (Array.truncate 6 grid) [| -617; 1667; -2919; -3433; -1880; 3151 |] "first weights"
        Expect.equal (grid |> Array.fold (fun h v -> h * 31 + v) 17) -1883312591 "all weights"
        let scaled = values |> Array.map (fun v -> v * sqrt 60.0)
        Expect.isLessThan (abs (Array.average scaled)) 0.03 "mean"
        Expect.isLessThan (abs (Array.averageBy (fun v -> v * v) scaled - 1.0)) 0.05 "variance")
    testProperty "winner-take-all picks what a stable sort picks: ties, zeros of both signs, infinities and NaN included" <|
        fun (seed: int) (FsCheck.PositiveInt k) ->
            use _ = torch.NewDisposeScope()
            let special = [| 0.0f; -0.0f; infinityf; -infinityf; nanf; 1e-40f; -1.5f; 1.5f; 2.0f; -3e38f |]
            let n = 37
            let random = Random seed
            let value i = if i < 2 * n then special[random.Next special.Length] else float32 (random.NextDouble() - 0.5)
            let values = Array.init (4 * n) value
            let activations = shaped [ 2L; 2L; int64 n ] values
            let k = 1 + k % n
            WinnerTakeAll.Indices(activations, k).equal(WinnerTakeAll.Sorted(activations, k)).all().item<bool>()
]

let tests : Test =
    testSequencedGroup "torch" (testList "Features" [
        testList "front-ends" frontEnds
        testList "expand-and-sparsify" sparse
    ])
