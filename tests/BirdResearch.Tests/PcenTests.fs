module BirdResearch.Tests.PcenTests

open System
open System.IO
open System.Text.Json
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Tests.Tensors

/// Per-channel energy normalisation of one row by its definition, a frame at a time.
let private slow (p: PcenSettings) (s: float) (row: float[]) =
    let mutable mean = if p.Start = PcenStart.One then 1.0 else row[0] * p.Scale
    [| for e in row do
        let e = e * p.Scale
        mean <- (1.0 - s) * mean + s * e
        (e / (p.Epsilon + mean) ** p.Gain + p.Bias) ** p.Power - p.Bias ** p.Power |]

/// A row less its quantile, the quantile between two neighbours by their distance, as numpy's.
let private lessQuantile (q: float) (row: float[]) =
    let sorted = Array.sort row
    let place = q * float (row.Length - 1)
    let lower = int (floor place)
    let upper = min (row.Length - 1) (lower + 1)
    let value = sorted[lower] + (place - float lower) * (sorted[upper] - sorted[lower])
    row |> Array.map (fun x -> x - value)

let private variants =
    [ "the defaults", PcenSettings()
      "librosa's start", PcenSettings(Start = PcenStart.One)
      "bioacoustics", PcenSettings(Gain = 0.8, Bias = 10.0, Power = 0.25, TimeConstantSeconds = 0.06)
      "no memory, no root", PcenSettings(Smoothing = Nullable 1.0, Gain = 0.5, Power = 1.0)
      "a smoothing of its own", PcenSettings(Smoothing = Nullable 0.025, Bias = 0.1, Scale = 1.0, Epsilon = 1e-3) ]

/// rows x frames of energies that jump and fade, one frame of silence among them; clips x rows x frames.
let private energies (clips: int) (rows: int) (frames: int) =
    let random = Random 3
    let values =
        Array.init (clips * rows * frames) (fun i ->
            let frame = i % frames
            if frame = 5 then 0.0 else 1e-3 * (random.NextDouble() ** 6.0) * exp (3.0 * sin (float frame / 7.0)))
    shaped [ int64 clips; int64 rows; int64 frames ] values

let private oracle =
    [ for case in JsonDocument.Parse(File.ReadAllText(Path.Combine(__SOURCE_DIRECTORY__, "oracles", "pcen", "values.txt"))).RootElement.EnumerateArray() do
        let name = nonNull (case.GetProperty("name").GetString())
        let number (key: string) fallback = match case.TryGetProperty key with | true, value -> value.GetDouble() | _ -> fallback
        let rows (key: string) = [| for row in case.GetProperty(key).EnumerateArray() -> [| for v in row.EnumerateArray() -> v.GetDouble() |] |]
        torchTest $"per-channel energies are normalised as by librosa's formula over scipy's filter: {name}" (fun () ->
            let b = number "b" nan
            let settings =
                PcenSettings(
                    Gain = number "gain" 0.98, Bias = number "bias" 2.0, Power = number "power" 0.5, Epsilon = number "eps" 1e-6,
                    TimeConstantSeconds = number "time_constant" 0.4, Smoothing = (if Double.IsNaN b then Nullable() else Nullable b),
                    Scale = number "scale" 1.0, Start = (if case.GetProperty("start").GetString() = "one" then PcenStart.One else PcenStart.FirstFrame))
            let pcen = Pcen(settings, number "frame_seconds" 0.0)
            let energies, want = rows "energies", Array.concat (rows "normalised")
            let x = shaped [ 1L; int64 energies.Length; int64 energies[0].Length ] (Array.concat energies)
            let largest = want |> Array.map abs |> Array.max
            Expect.isLessThan (widest (numbers (pcen.Of x)) want) (1e-9 * largest) "in float64"
            Expect.isLessThan (widest (numbers (pcen.Of(x.``to`` torch.float32))) want) (1e-5 * largest) "in float32, fused") ]

let private normalisation = [
    for name, settings in variants do
        torchTest $"the fused pass agrees with the plain loop: {name}" (fun () ->
            // Frames in whole vectors, in a part of one, and fewer than a vector has lanes.
            for frames in [ 6; 16; 17; 161 ] do
                let pcen = Pcen(settings, 0.02)
                let x = (energies 2 3 frames).``to`` torch.float32
                let want = numbers x |> Array.chunkBySize frames |> Array.collect (slow settings pcen.Smoothing)
                let largest = want |> Array.map abs |> Array.max
                Expect.isLessThan (widest (numbers (pcen.Of x)) want) (2e-5 * largest) $"{frames} frames, fused"
                Expect.isLessThan (widest (numbers (pcen.Reference(x.``to`` torch.float64))) want) (1e-9 * largest) $"{frames} frames, in float64")
    test "the smoothing of 0.4 s at 62.5 ms is librosa's" {
        Expect.floatClose Accuracy.veryHigh (PcenSettings().SmoothingFor 0.0625) ((sqrt (1.0 + 4.0 * 6.4 * 6.4) - 1.0) / (2.0 * 6.4 * 6.4)) "from the time constant"
        Expect.equal (PcenSettings(Smoothing = Nullable 0.1).SmoothingFor 0.0625) 0.1 "a given one"
    }
    torchTest "with a gain of 1 and hardly any eps, the loudness of the recording is gone" (fun () ->
        let settings = FrontEndSettings(Kind = "pcen", Pcen = PcenSettings(Gain = 1.0, Epsilon = 1e-20), Normalisation = Normalisation.None)
        use frontEnd = FrontEnds.Create settings
        let x = sound 2 40000
        let loud, quiet = numbers (frontEnd.forward x), numbers (frontEnd.forward(x * torch.tensor 0.01f))
        Expect.isLessThan (widest loud quiet) (1e-3 * Array.max loud) "a hundredth of the amplitude"
        use mel = FrontEnds.Create(FrontEndSettings(Kind = "mel", Normalisation = Normalisation.None))
        Expect.isGreaterThan (widest (numbers (mel.forward x)) (numbers (mel.forward(x * torch.tensor 0.01f)))) 20.0 "decibels keep it")
    torchTest "a band of constant energy is flat from the first frame, where librosa's start has an onset" (fun () ->
        let x = torch.ones(1L, 1L, 100L)
        let ours = numbers (Pcen(PcenSettings(), 0.02).Of x)
        Expect.isLessThan (Array.max ours - Array.min ours) 1e-5 "flat"
        let theirs = numbers (Pcen(PcenSettings(Start = PcenStart.One), 0.02).Of x)
        Expect.isGreaterThan theirs[0] (2.0 * theirs[99]) "an onset that is not in the sound")
    torchTest "the pcen front-end is the normalised energies of the mel spectrogram in power, with mel's frames" (fun () ->
        for name in [ "pcen"; "pcen-64" ] do
            let settings = FrontEnds.Named name
            use frontEnd = FrontEnds.Create(FrontEndSettings(Kind = "pcen", Mel = settings.Mel, Normalisation = Normalisation.None))
            let mel = MelSettings(Fft = settings.Mel.Fft, Hop = settings.Mel.Hop, Mels = settings.Mel.Mels, TopDb = Nullable())
            use power = new MelSpectrogram(mel, 32000)
            let x = sound 2 40000
            let frames = frontEnd.Frames 40000L
            Expect.equal frames (FrontEnds.Create(name.Replace("pcen", "mel")).Frames 40000L) "frames"
            let pcen = Pcen(settings.Pcen, float settings.Mel.Hop / 32000.0)
            let rows = numbers (power.Reference(x.``to`` torch.float64).narrow(2, 0L, frames)) |> Array.chunkBySize (int frames)
            let want = rows |> Array.collect (slow settings.Pcen pcen.Smoothing)
            Expect.isLessThan (widest (numbers (frontEnd.forward x)) want) (1e-4 * Array.max want) name)
]

let private quantiles = [
    torchTest "each row loses its own quantile, as the plain sort finds it" (fun () ->
        for quantile in [ 0.0; 0.1; 0.25; 0.5; 1.0 ] do
            let settings kind quantile = FrontEndSettings(Kind = kind, RowQuantile = quantile, Normalisation = Normalisation.None, Mel = MelSettings(Mels = 20, Fft = 512, Hop = 260))
            for kind in [ "mel"; "pcen"; "kaldi-fbank" ] do
                use plain = FrontEnds.Create(settings kind (Nullable()))
                use less = FrontEnds.Create(settings kind (Nullable quantile))
                for precision, tolerance in [ torch.float32, 1e-4; torch.float64, 1e-10 ] do
                    let x = (sound 2 33333).``to`` precision
                    let rows = numbers (plain.forward x) |> Array.chunkBySize (int (plain.Frames 33333L))
                    Expect.isLessThan (widest (numbers (less.forward x)) (Array.collect (lessQuantile quantile) rows)) tolerance $"{kind} at {quantile} in {precision}")
    torchTest "a hum that sounds all the time changes nothing in decibels once the quantile is off" (fun () ->
        let level (settings: FrontEndSettings) (x: torch.Tensor) =
            use frontEnd = FrontEnds.Create settings
            numbers (frontEnd.forward x)
        let plain = FrontEndSettings(Kind = "mel", Mel = MelSettings(Mels = 64, TopDb = 200.0), Normalisation = Normalisation.None)
        let less = FrontEndSettings(Kind = "mel", Mel = MelSettings(Mels = 64, TopDb = 200.0), Normalisation = Normalisation.None, RowQuantile = Nullable 0.25)
        let x = sound 1 64000
        let louder = x * torch.tensor 4.0f // every band by the same 12 dB
        Expect.isGreaterThan (widest (level plain louder) (level plain x)) 12.0 "without"
        Expect.isLessThan (widest (level less louder) (level less x)) 1e-3 "with")
    torchTest "a NaN in a row makes the row NaN and leaves the others" (fun () ->
        let x = torch.arange(12.0f).reshape(1L, 3L, 4L)
        x[0, 1, 2] <- torch.tensor nanf
        let y = BirdResearch.Kernels.RowQuantiles.Subtracted(x, 1, 0.5f)
        Expect.isTrue (y[0, 1].isnan().all().item<bool> ()) "the row"
        Expect.equal (numbers y[0, 2]) [| -1.5; -0.5; 0.5; 1.5 |] "another row")
    test "a quantile out of range, or of raw sound, is refused with its name" {
        Expect.stringContains (messageOf (fun () -> FrontEnds.Create(FrontEndSettings(Kind = "mel", RowQuantile = Nullable 1.5)))) "RowQuantile is 1.5" ""
        Expect.stringContains (messageOf (fun () -> FrontEnds.Create(FrontEndSettings(Kind = "waveform", RowQuantile = Nullable 0.25)))) "no bands" ""
        Expect.stringContains (messageOf (fun () -> FrontEnds.Create(FrontEndSettings(Kind = "pcen", Pcen = PcenSettings(Bias = 0.0))))) "Pcen.Bias is 0" ""
        Expect.stringContains (messageOf (fun () -> FrontEnds.Create(FrontEndSettings(Kind = "pcen", Pcen = PcenSettings(Smoothing = Nullable 0.0))))) "Pcen.Smoothing is 0" ""
    }
]

let private both = [ FusedFeaturesTests.sameBitsAlone [ "pcen"; "pcen-64"; "mel-64-quantile" ] ]

let tests : Test =
    testSequencedGroup "torch" (testList "Pcen" [
        testList "oracle" oracle
        testList "normalisation" normalisation
        testList "quantile" quantiles
        testList "both" both
    ])
