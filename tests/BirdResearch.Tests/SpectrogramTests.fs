module BirdResearch.Tests.SpectrogramTests

open System
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Reference
open BirdResearch.Tests.Tensors

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
    let framed start = Array.map2 (*) window x[start .. start + s.Fft - 1]
    let frames = [| for f in 0 .. (x.Length - s.Fft) / s.Hop -> slowSpectrum s.Power (framed (f * s.Hop)) |]
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
    let floor = if s.EnergyFloor > 0.0 then log s.EnergyFloor else -infinity
    let energyOf frame = max floor (log (max epsilon (Array.sumBy (fun v -> v * v) frame)))
    let rows =
        [| for start in starts ->
            let frame = [| for i in start .. start + length - 1 -> at i |]
            let raw = if s.RemoveDc then (let mean = Array.average frame in frame |> Array.map (fun v -> v - mean)) else frame
            let windowed = raw |> Array.mapi (fun i v -> (v - s.PreEmphasis * raw[max 0 (i - 1)]) * window[i])
            let power = slowSpectrum (if s.Power then 2.0 else 1.0) (Array.append windowed (Array.zeroCreate (fft - length)))
            let bins =
                [| for b in 0 .. s.Bins - 1 ->
                    let left, centre, right = low + float b * step, low + float (b + 1) * step, low + float (b + 2) * step
                    let weight k =
                        let m = mel (float rate / float fft * float k)
                        max 0.0 (min ((m - left) / (centre - left)) ((right - m) / (right - centre)))
                    let sum = Seq.sum (seq { for k in 0 .. fft / 2 - 1 -> power[k] * weight k })
                    if s.Log then log (max epsilon sum) else sum |]
            let energy = [| energyOf (if s.RawEnergy then raw else windowed) |]
            match s.Energy with
            | EnergyColumn.First -> Array.append energy bins
            | EnergyColumn.Last -> Array.append bins energy
            | _ -> bins |]
    let means = [| for c in 0 .. rows[0].Length - 1 -> if s.SubtractMean then rows |> Array.averageBy (fun row -> row[c]) else 0.0 |]
    rows |> Array.collect (Array.mapi (fun c v -> v - means[c]))

// ---- Mel and Kaldi ----

let private melVariants = [
    "power", MelSettings(Fft = 64, Hop = 16, Mels = 9, MinHz = 100.0, MaxHz = 4000.0, TopDb = Nullable())
    "magnitude on the htk scale",
    MelSettings(Fft = 64, Hop = 20, Mels = 7, MinHz = 0.0, MaxHz = 3500.0, Power = 1.0, Scale = "htk", Norm = "none", TopDb = Nullable())
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
    "magnitude, edges, linear, mean removed",
    FbankSettings(Bins = 8, Power = false, Log = false, MinHz = 300.0, MaxHz = -500.0, SubtractMean = true) ]

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
        let settings =
            MelSettings(Fft = 64, WindowLength = 40, Hop = 16, Mels = 6, MinHz = 100.0, MaxHz = 4000.0, TopDb = Nullable(), UnitWindow = true)
        let impulse = torch.zeros([| 1L; 400L |], torch.float64)
        impulse[0, 160] <- torch.tensor(1.0, torch.float64)
        use mel = new MelSpectrogram(settings, 8000)
        let energy = mel.forward(impulse).sum([| 1L |]) |> numbers
        let reached = energy |> Seq.indexed |> Seq.filter (fun (_, e) -> e > 1e-20) |> Seq.map fst |> List.ofSeq
        Expect.equal reached [ 9; 10; 11 ] "frames within 20 samples of the impulse"
        let window = Windows.Named("hanning", 40, true)
        let bank = MelFilters(6, 33, 8000, 100.0, 4000.0, "slaney", "slaney").Weights.ToArray() |> Array.sum
        Expect.floatClose Accuracy.high energy[10] (bank / Array.sumBy (fun w -> w * w) window) "the centre over the norm")
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

// ---- Reference files ----

/// What fails in an audio file after an edit of its text.
let private failing (file: string) (pattern: string) (replacement: string) =
    let text = File.ReadAllText(Path.Combine(BirdResearch.Data.Folders.Root, "tests", "BirdResearch.Tests", "oracles", "audio", file))
    let edited = Regex(pattern).Replace(text, replacement, 1)
    Expect.notEqual edited text "the edit changed the file"
    use document = JsonDocument.Parse edited
    AudioReference().Check document.RootElement
    |> Seq.filter (fun f -> not f.Passed)
    |> Seq.map _.What
    |> Seq.distinct
    |> List.ofSeq

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
    testSequencedGroup "torch" (testList "Spectrograms" [
        testList "by definition" spectrograms
        testList "judging a file" judging
    ])
