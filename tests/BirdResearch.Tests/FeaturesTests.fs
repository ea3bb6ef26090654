module BirdResearch.Tests.FeaturesTests

open System
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Reference

let private numbers (t: torch.Tensor) =
    use wide = t.detach().``to``(torch.float64).contiguous()
    wide.data<float>().ToArray()

let private shaped (shape: int64 list) (values: Array) = torch.from_array(values).reshape(Array.ofList shape)

/// clips x samples of a tone that differs from clip to clip, over noise; float32 as decoded sound is.
let private sound (clips: int) (samples: int) =
    let random = Random 7
    let values =
        Array.init (clips * samples) (fun i ->
            let clip, t = i / samples, float (i % samples)
            float32 (0.3 * sin (0.05 * float (clip + 1) * t) + 0.1 * (random.NextDouble() - 0.5)))
    shaped [ int64 clips; int64 samples ] values

let private widest (a: float[]) (b: float[]) =
    Expect.equal a.Length b.Length "as many numbers"
    Array.fold2 (fun worst x y -> max worst (abs (x - y))) 0.0 a b

let private messageOf (work: unit -> 'a) =
    try
        work () |> ignore
        failtest "gave no error"
    with :? ArgumentException as e -> e.Message

/// A test whose tensors are gone afterwards.
let private torchTest name (body: unit -> unit) =
    testCase name (fun () ->
        use _ = torch.NewDisposeScope()
        body ())

// ---- Slow twins, in double and from the definitions ----

/// |X|^power of one frame by the sum over its samples.
let private slowSpectrum (power: float) (frame: float[]) =
    [| for k in 0 .. frame.Length / 2 ->
        let angle i = 2.0 * Math.PI * float k * float i / float frame.Length
        let re = frame |> Array.mapi (fun i x -> x * cos (angle i)) |> Array.sum
        let im = frame |> Array.mapi (fun i x -> x * sin (angle i)) |> Array.sum
        (re * re + im * im) ** (power / 2.0) |]

let private padded (mode: string) (half: int) (x: float[]) =
    let n = x.Length
    let at i =
        if i >= 0 && i < n then x[i]
        else
            match mode with
            | "reflect" -> x[if i < 0 then -i else 2 * (n - 1) - i]
            | "replicate" -> x[max 0 (min (n - 1) i)]
            | "circular" -> x[(i + n) % n]
            | _ -> 0.0
    [| for i in -half .. n - 1 + half -> at i |]

/// mels x frames by loops; the settings' window is as long as the FFT.
let private slowMel (s: MelSettings) (rate: int) (x: float[]) =
    let x = if s.Centre then padded s.Padding (s.Fft / 2) x else x
    let window = Windows.Named(s.Window, s.Fft, true)
    let bank = MelFilters(s.Mels, s.Fft / 2 + 1, rate, s.MinHz, s.MaxHz, s.Scale, s.Norm)
    let weights = bank.Weights.ToArray()
    let frames = [| for f in 0 .. (x.Length - s.Fft) / s.Hop -> slowSpectrum s.Power (Array.map2 (*) window x[f * s.Hop .. f * s.Hop + s.Fft - 1]) |]
    [| for m in 0 .. s.Mels - 1 do
        for frame in frames do
            frame |> Array.mapi (fun k p -> p * weights[k * s.Mels + m]) |> Array.sum |]

/// frames x bins by loops, as Kaldi's documentation describes them.
let private slowFbank (s: FbankSettings) (rate: int) (x: float[]) =
    let length, shift = int (float rate * s.FrameMilliseconds * 0.001), int (float rate * s.ShiftMilliseconds * 0.001)
    let fft = if s.PowerOfTwo then Seq.initInfinite (fun i -> 1 <<< i) |> Seq.find (fun n -> n >= length) else length
    let at i = x[if i < 0 then -1 - i elif i >= x.Length then 2 * x.Length - 1 - i else i]
    let starts =
        if s.SnipEdges then [| for f in 0 .. (x.Length - length) / shift -> f * shift |]
        else [| for f in 0 .. (x.Length + shift / 2) / shift - 1 -> f * shift - (length / 2 - shift / 2) |]
    let window = Windows.Named(s.Window, length, false, s.Blackman)
    let mel hz = 1127.0 * log (1.0 + hz / 700.0)
    let low, high = mel s.MinHz, mel (if s.MaxHz > 0.0 then s.MaxHz else float rate / 2.0 + s.MaxHz)
    let step = (high - low) / float (s.Bins + 1)
    let epsilon = KaldiFbank.Epsilon
    let energyOf frame = max (log (max epsilon (Array.sumBy (fun v -> v * v) frame))) (if s.EnergyFloor > 0.0 then log s.EnergyFloor else -infinity)
    let rows =
        [| for start in starts ->
            let frame = [| for i in start .. start + length - 1 -> at i |]
            let raw = if s.RemoveDc then (let mean = Array.average frame in frame |> Array.map (fun v -> v - mean)) else frame
            let windowed = raw |> Array.mapi (fun i v -> (v - s.PreEmphasis * raw[max 0 (i - 1)]) * window[i])
            let power = slowSpectrum (if s.Power then 2.0 else 1.0) (Array.append windowed (Array.zeroCreate (fft - length)))
            let bins =
                [| for b in 0 .. s.Bins - 1 ->
                    let left, centre, right = low + float b * step, low + float (b + 1) * step, low + float (b + 2) * step
                    let weight k = (let m = mel (float rate / float fft * float k) in max 0.0 (min ((m - left) / (centre - left)) ((right - m) / (right - centre))))
                    let sum = Seq.sum (seq { for k in 0 .. fft / 2 - 1 -> power[k] * weight k })
                    if s.Log then log (max epsilon sum) else sum |]
            let energy = [| energyOf (if s.RawEnergy then raw else windowed) |]
            match s.Energy with
            | EnergyColumn.First -> Array.append energy bins
            | EnergyColumn.Last -> Array.append bins energy
            | _ -> bins |]
    let means = [| for c in 0 .. rows[0].Length - 1 -> if s.SubtractMean then rows |> Array.averageBy (fun row -> row[c]) else 0.0 |]
    rows |> Array.collect (Array.mapi (fun c v -> v - means[c]))

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

// ---- Mel and Kaldi ----

let private melVariants = [
    "power", MelSettings(Fft = 64, Hop = 16, Mels = 9, MinHz = 100.0, MaxHz = 4000.0, TopDb = Nullable())
    "magnitude on the htk scale", MelSettings(Fft = 64, Hop = 20, Mels = 7, MinHz = 0.0, MaxHz = 3500.0, Power = 1.0, Scale = "htk", Norm = "none", TopDb = Nullable())
    "another exponent", MelSettings(Fft = 32, Hop = 7, Mels = 5, MinHz = 50.0, MaxHz = 4000.0, Power = 1.5, TopDb = Nullable())
    "zeros around", MelSettings(Fft = 64, Hop = 16, Mels = 6, MinHz = 100.0, MaxHz = 4000.0, Padding = "constant", TopDb = Nullable())
    "ends repeated", MelSettings(Fft = 64, Hop = 16, Mels = 6, MinHz = 100.0, MaxHz = 4000.0, Padding = "replicate", TopDb = Nullable())
    "ends joined", MelSettings(Fft = 64, Hop = 16, Mels = 6, MinHz = 100.0, MaxHz = 4000.0, Padding = "circular", TopDb = Nullable())
    "no centring", MelSettings(Fft = 64, Hop = 30, Mels = 6, MinHz = 100.0, MaxHz = 4000.0, Centre = false, TopDb = Nullable())
    "a Hamming window", MelSettings(Fft = 64, Hop = 30, Mels = 6, MinHz = 100.0, MaxHz = 4000.0, Window = "hamming", TopDb = Nullable()) ]

let private fbankVariants = [
    "povey", FbankSettings(Bins = 11, Window = "povey")
    "hamming, ends mirrored", FbankSettings(Bins = 11, Window = "hamming", SnipEdges = false)
    "blackman, no power of two", FbankSettings(Bins = 8, Window = "blackman", PowerOfTwo = false, FrameMilliseconds = 20.0)
    "rectangular, short hops", FbankSettings(Bins = 8, Window = "rectangular", ShiftMilliseconds = 3.0, PreEmphasis = 0.5)
    "long hops, ends mirrored", FbankSettings(Bins = 8, FrameMilliseconds = 10.0, ShiftMilliseconds = 14.0, SnipEdges = false)
    "no direct current removed, no pre-emphasis", FbankSettings(Bins = 8, RemoveDc = false, PreEmphasis = 0.0)
    "energy first", FbankSettings(Bins = 8, Energy = EnergyColumn.First)
    "windowed energy last, without floor", FbankSettings(Bins = 8, Energy = EnergyColumn.Last, RawEnergy = false, EnergyFloor = 0.0)
    "magnitude, edges, linear, mean removed", FbankSettings(Bins = 8, Power = false, Log = false, MinHz = 300.0, MaxHz = -500.0, SubtractMean = true) ]

let private spectrograms = [
    for name, settings in melVariants do
        torchTest $"mel agrees with the plain sums: {name}" (fun () ->
            let x = (sound 2 500).``to``(torch.float64)
            use mel = new MelSpectrogram(settings, 8000)
            let ours = mel.forward x
            let want = Array.collect (fun (clip: int) -> slowMel settings 8000 (numbers x[clip])) [| 0; 1 |]
            let error = widest (numbers ours) want
            Expect.isLessThan error (1e-10 * Array.max want) "in float64"
            Expect.equal ours.shape [| 2L; int64 settings.Mels; mel.Frames 500L |] "shape")
    for name, settings in fbankVariants do
        torchTest $"Kaldi's filter bank agrees with the plain sums: {name}" (fun () ->
            let x = (sound 2 1100).``to``(torch.float64)
            use fbank = new KaldiFbank(settings, 11025)
            let ours = fbank.forward x
            let want = Array.collect (fun (clip: int) -> slowFbank settings 11025 (numbers x[clip])) [| 0; 1 |]
            Expect.isLessThan (widest (numbers ours) want) 1e-8 "in float64"
            Expect.equal ours.shape [| 2L; fbank.Frames 1100L; int64 fbank.Columns |] "shape")
    torchTest "a window shorter than the FFT stands in the middle of the frame" (fun () ->
        let settings = MelSettings(Fft = 64, WindowLength = 40, Hop = 16, Mels = 6, MinHz = 100.0, MaxHz = 4000.0, TopDb = Nullable(), UnitWindow = true)
        let impulse = torch.zeros([| 1L; 400L |], torch.float64)
        impulse[0, 160] <- torch.tensor(1.0, torch.float64)
        use mel = new MelSpectrogram(settings, 8000)
        let energy = mel.forward(impulse).sum([| 1L |]) |> numbers
        let reached = energy |> Seq.indexed |> Seq.filter (fun (_, e) -> e > 1e-20) |> Seq.map fst |> List.ofSeq
        Expect.equal reached [ 9; 10; 11 ] "frames within 20 samples of the impulse"
        let window = Windows.Named("hanning", 40, true)
        let bank = MelFilters(6, 33, 8000, 100.0, 4000.0, "slaney", "slaney").Weights.ToArray() |> Array.sum
        Expect.floatClose Accuracy.high energy[10] (bank / Array.sumBy (fun w -> w * w) window) "the centre's weight over the window's norm")
    torchTest "a long batch gives each clip what it gives alone" (fun () ->
        for name in FrontEnds.All.Keys do
            use frontEnd = FrontEnds.Create(name: string)
            let x = sound 7 (5 * frontEnd.SampleRate)
            let together = frontEnd.forward x
            for clip in [ 0L; 4L; 6L ] do
                let alone = frontEnd.forward(x.narrow(0, clip, 1))
                let changed = (together.narrow(0, clip, 1) - alone).abs().gt(torch.tensor 1e-3f).sum().item<int64>()
                // Of a k-sparse code one unit may trade places with another whose activation is equal to rounding.
                Expect.isLessThanOrEqual changed (if name.StartsWith "expand" then 4L else 0L) $"clip {clip} of {name}")
    torchTest "decibels have each clip's own peak and floor" (fun () ->
        let power = shaped [ 2L; 1L; 3L ] [| 1.0; 1e-3; 1e-12; 100.0; 1e-3; 1e-12 |]
        let close what want (got: torch.Tensor) = Expect.isLessThan (widest want (numbers got)) 1e-9 what
        close "with a floor" [| 0.0; -30.0; -50.0; 20.0; -30.0; -30.0 |] (Decibels(50.0).Of power)
        close "without" [| 0.0; -30.0; -100.0; 20.0; -30.0; -100.0 |] (Decibels(Nullable()).Of power)
        close "below the peak" [| 0.0; -30.0; -50.0; 0.0; -50.0; -50.0 |] (Decibels(50.0, Nullable()).Of power)
        close "above a reference" [| 10.0; -20.0; -90.0; 30.0; -20.0; -90.0 |] (Decibels(Nullable(), 0.1).Of power)
        close "of magnitudes" [| 0.0; -60.0; -200.0; 40.0; -60.0; -200.0 |] (Decibels(Nullable(), 1.0, 20.0).Of power))
    test "mel filters rise from their left neighbour to their centre and fall to the right" {
        let filters = MelFilters(40, 2049, 32000, 50.0, 14000.0, "slaney", "none")
        let weights, points = filters.Weights.ToArray(), filters.PointsHz.ToArray()
        let hz bin = 16000.0 * float bin / 2048.0
        for m in 0..39 do
            let column = [| for bin in 0..2048 -> weights[bin * 40 + m] |]
            let peak = Array.findIndex ((=) (Array.max column)) column
            Expect.isLessThan (abs (hz peak - points[m + 1])) 8.0 $"peak of filter {m}"
            for bin in 0..2048 do
                if hz bin <= points[m] || hz bin >= points[m + 2] then Expect.equal column[bin] 0.0 $"filter {m} at {hz bin} Hz"
    }
    for scale in [ "htk"; "slaney" ] do
        testProperty $"the {scale} scale and its inverse undo each other" <| fun (n: FsCheck.NonNegativeInt) ->
            let hz = float (n.Get % 20000) + 0.5
            abs (MelFilters.MelToHz(MelFilters.HzToMel(hz, scale), scale) - hz) < 1e-9 * hz + 1e-9
]

// ---- Front-ends ----

let private fiveSeconds = dict [
    "mel", [| 1L; 128L; 320L |]
    "mel-64", [| 1L; 64L; 160L |]
    "kaldi-fbank", [| 1L; 128L; 498L |]
    "expand-and-sparsify", [| 1L; 512L; 157L |]
    "expand-and-sparsify-64", [| 1L; 256L; 77L |] ]

let private normalised kind normalisation channels =
    FrontEndSettings(Kind = kind, Mel = MelSettings(Mels = 20, Fft = 512, Hop = 250), Normalisation = normalisation, Mean = -30.0, Std = 12.0, Channels = channels)

let private frontEnds = [
    for entry in FrontEnds.All do
        torchTest $"{entry.Key} says beforehand how many frames it gives" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            for samples in [ 9000; 16000; 16001; 31999; 32000; 32001; 33333; 47999; 64500; 80000 ] do
                let shape = frontEnd.forward(sound 2 samples).shape
                Expect.equal shape [| 2L; int64 frontEnd.Channels; int64 frontEnd.Rows; frontEnd.Frames(int64 samples) |] $"{samples} samples")
        torchTest $"{entry.Key} of 5 s has the shape that the catalogue promises" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            let want = fiveSeconds[entry.Key]
            Expect.equal (frontEnd.forward(sound 1 (5 * frontEnd.SampleRate)).shape) (Array.append [| 1L |] want) "")
        torchTest $"{entry.Key} of silence, an impulse, full scale and direct current is finite" (fun () ->
            use frontEnd = FrontEnds.Create(entry.Key: string)
            let impulse = torch.zeros(1L, 32000L)
            impulse[0, 16000] <- torch.tensor 1.0f
            for what, x in [ "silence", torch.zeros(1L, 32000L); "an impulse", impulse; "full scale", torch.ones(1L, 32000L) * torch.tensor 1e4f ] do
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
            let before = torch.Tensor.TotalCount
            for _ in 1..20 do run ()
            Expect.equal torch.Tensor.TotalCount before "live tensors")
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
        for kind in [ "mel"; "kaldi-fbank"; "expand-and-sparsify" ] do
            use one = FrontEnds.Create(normalised kind Normalisation.PerClip 1)
            use three = FrontEnds.Create(normalised kind Normalisation.PerClip 3)
            let x = sound 2 16000
            let a, b = one.forward x, three.forward x
            Expect.equal b.shape[1] 3L kind
            for channel in 0L .. 2L do
                Expect.isTrue (b.narrow(1, channel, 1L).equal(a).all().item<bool>()) $"{kind} channel {channel}")
    torchTest "a fbank front-end pads with zeros or cuts before it normalises" (fun () ->
        let settings target = FrontEndSettings(Kind = "kaldi-fbank", SampleRate = 16000, Fbank = FbankSettings(TargetFrames = target), Normalisation = Normalisation.Fixed, Mean = -4.0, Std = 8.0)
        let x = sound 1 16000
        let all = FrontEnds.Create(settings (Nullable())).forward x
        let cut, long = FrontEnds.Create(settings (Nullable 50)).forward x, FrontEnds.Create(settings (Nullable 120)).forward x
        Expect.equal (all.shape[3], cut.shape[3], long.shape[3]) (98L, 50L, 120L) "frames"
        Expect.equal (numbers cut) (numbers (all.narrow(3, 0, 50))) "cut"
        Expect.equal (numbers (long.narrow(3, 0, 98))) (numbers all) "kept"
        Expect.allEqual (numbers (long.narrow(3, 98, 22))) 0.5 "(0 + 4) / 8")
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
        "Expansion.K is 600: it must lie between 1 and 512", FrontEndSettings(Kind = "expand-and-sparsify", Expansion = ExpansionSettings(K = 600))
        "Expansion.Stride is 0", FrontEndSettings(Kind = "expand-and-sparsify", Expansion = ExpansionSettings(Stride = 0)) ] do
        test $"a front-end whose {setting} is refused by that name" {
            Expect.stringContains (messageOf (fun () -> FrontEnds.Create settings)) setting ""
        }
]

// ---- Expand-and-sparsify ----

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
            let want = [| 0; 1 |] |> Array.collect (fun clip -> slowExpansion settings.Expansion kernel 12 (int series.shape[3]) (numbers series[clip]))
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
            use frontEnd = new ExpandAndSparsify(FrontEndSettings(Kind = "expand-and-sparsify", Mel = MelSettings(Mels = 12), Expansion = e))
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
    testProperty "winner-take-all picks what a stable sort picks: ties, zeros of both signs, infinities and NaN included" <| fun (rows: int list) (FsCheck.PositiveInt k) ->
        use _ = torch.NewDisposeScope()
        let special = [| 0.0f; -0.0f; infinityf; -infinityf; nanf; 1e-40f; -1.5f; 1.5f; 2.0f; -3e38f |]
        let n = 37
        let random = Random(Seq.fold (fun h v -> h * 31 + v) 7 rows)
        let values = Array.init (4 * n) (fun i -> if i < 2 * n then special[random.Next special.Length] else float32 (random.NextDouble() - 0.5))
        let activations = shaped [ 2L; 2L; int64 n ] values
        let k = 1 + k % n
        WinnerTakeAll.Indices(activations, k).equal(WinnerTakeAll.Sorted(activations, k)).all().item<bool>()
]

// ---- Augmentation ----

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

let private augmentation = [
    for name, rateOf in [ "mixup", mixupRate; "SpecAugment", maskRate ] do
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
        Expect.equal (numbers labels |> Array.map (fun v -> v > 0.0)) (numbers weighted |> Array.map (fun v -> v > 0.0)) "the same partners")
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
            use _ = torch.NewDisposeScope()
            SpecAugment(1, 0.5, 1, 0.5).Apply(x, at 0 0, AugmentationCounts()) |> ignore
            Mixup(1.0, 0.4).Apply(x, y, at 0 0, AugmentationCounts()) |> ignore
        run ()
        let count = torch.Tensor.TotalCount
        for _ in 1..20 do run ()
        Expect.equal torch.Tensor.TotalCount count "live tensors"
        Expect.equal (numbers x) before "input")
    test "augmentation settings out of range are refused by name" {
        Expect.stringContains (messageOf (fun () -> Mixup(1.5, 0.4))) "mixup's probability is 1.5" ""
        Expect.stringContains (messageOf (fun () -> Mixup(0.5, 0.0))) "mixup's alpha is 0" ""
        Expect.stringContains (messageOf (fun () -> SpecAugment(1, nan, 1, 0.1))) "share of the rows is NaN" ""
    }
]

// ---- Reference files ----

/// What fails in an audio file after an edit of its text.
let private failing (file: string) (pattern: string) (replacement: string) =
    let text = File.ReadAllText(Path.Combine(BirdResearch.Data.Folders.Root, "tests", "BirdResearch.Tests", "oracles", "audio", file))
    let edited = Regex(pattern).Replace(text, replacement, 1)
    Expect.notEqual edited text "the edit changed the file"
    use document = JsonDocument.Parse edited
    AudioReference().Check document.RootElement |> Seq.filter (fun f -> not f.Passed) |> Seq.map _.What |> Seq.distinct |> Seq.sort |> List.ofSeq

let private judging = [
    for file, what, pattern, replacement in [
        "mel.htk_32k.json", "mel", "114\\.5385", "114.5995"
        "mel.htk_32k.json", "db_torchaudio_top80", "20\\.58952", "20.60952"
        "mel.htk_32k.json", "db_librosa_ref_max_top80", "-20\\.0368795", "-20.0568795"
        "mel.htk_32k.json", "filterbank", "0\\.0132593385", "0.0132693385"
        "mel.htk_32k.json", "filterbank column_sums", "1\\.12145005", "1.12146005"
        "mel.htk_32k.json", "filterbank_centres_hz", "85\\.1310013", "85.2310013"
        "mel.htk_32k.json", "call argument onesided = False is not understood", "\"center\"", "\"onesided\": false, \"center\""
        "mel.htk_32k.json", "quantity mfcc is not understood", "\"mel\": *\\{", "\"mfcc\": [], \"mel\": {"
        "fbank.ssamba16k.json", "fbank", "-9\\.232475", "-9.242475"
        "fbank.ssamba16k.json", "padded_normalised", "-0\\.543306905", "-0.544306905"
        "fbank.ssamba16k.json", "mel_bins_with_no_fft_bin", "(\"mel_bins_with_no_fft_bin\": *\\[\\s*)3", "${1}4"
        "fbank.ssamba16k.json", "fft_size", "(\"fft_size\": *)512", "${1}1024"
        "fbank.ssamba16k.json", "call argument dither = 1.0 is not understood", "(\"dither\": *)0.0", "${1}1.0" ] do
        torchTest $"a change of {what} in {file} fails there and nowhere else" (fun () ->
            Expect.equal (failing file pattern replacement) [ what ] "")
]

let tests : Test =
    testSequencedGroup "torch" (testList "Features" [
        testList "judging a file" judging
        testList "spectrograms" spectrograms
        testList "front-ends" frontEnds
        testList "expand-and-sparsify" sparse
        testList "augmentation" augmentation
    ])
