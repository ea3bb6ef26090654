module BirdResearch.Tests.FusedFeaturesTests

open System
open Expecto
open TorchSharp
open BirdResearch.Features
open BirdResearch.Kernels
open BirdResearch.Tests.Tensors

/// Whether front-ends read a clip as they read it in a batch.
let sameBitsAlone (names: string list) =
    torchTest "a clip gives the same bits alone as in a batch, on one thread as on several" (fun () ->
        let before = torch.get_num_threads ()
        try
            for name in names do
                use frontEnd = FrontEnds.Create name
                let x = sound 5 (2 * frontEnd.SampleRate + 77)
                torch.set_num_threads 1
                let alone = [| for clip in 0L .. 4L -> frontEnd.forward(x.narrow(0, clip, 1)) |]
                torch.set_num_threads 3
                Expect.equal (numbers (frontEnd.forward x)) (numbers (torch.cat(alone, 0L))) name
        finally
            torch.set_num_threads before)

let private noise (seed: int) count =
    let random = Random seed
    Array.init count (fun _ -> float32 (random.NextDouble() - 0.5))

/// Squared magnitudes of one real signal by torch in double.
let private spectrum (signal: float32[]) =
    let x = torch.fft.rfft(torch.tensor(Array.map float signal))
    numbers (x.abs().square())

let private transforms = [
    for lanes in BatchedFft.Widths do
      for size in [ 16; 32; 64; 128; 256; 512; 1024; 2048; 4096; 8192 ] do
        torchTest $"the batched FFT of {size} gives each of {lanes} lanes its own power spectrum" (fun () ->
            let signals = [| for lane in 0 .. lanes - 1 -> noise (lane + size) size |]
            let rows = [| for i in 0 .. size - 1 do for lane in 0 .. lanes - 1 -> signals[lane][i] |]
            let powers = Array.zeroCreate<float32> ((size / 2 + 1) * lanes)
            BatchedFft(size).Powers(lanes, Span rows, Span powers)
            for lane in 0 .. lanes - 1 do
                let got = [| for bin in 0 .. size / 2 -> float powers[bin * lanes + lane] / 4.0 |]
                let want = spectrum signals[lane]
                Expect.isLessThan (widest got want) (2e-6 * Array.max want) $"lane {lane}")
    test "a size that is no power of two, or out of range, is refused with the range" {
        for size in [ 0; 8; 100; 1000; 16384 ] do
            Expect.stringContains (messageOf (fun () -> BatchedFft size)) $"from 16 to 8192, not {size}" ""
    }
]

let private mel = MelSettings(Fft = 256, Hop = 100, Mels = 24, MinHz = 50.0, MaxHz = 7000.0)

let private melVariants =
    let plain = Nullable<float>()
    [ "decibels", mel
      "power", MelSettings(Fft = 256, Hop = 100, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, TopDb = plain)
      "magnitude, htk scale, filters without norm", MelSettings(Fft = 512, Hop = 160, Mels = 20, MinHz = 0.0, MaxHz = 8000.0, Power = 1.0, Scale = "htk", Norm = "none", TopDb = plain)
      "decibels of magnitude", MelSettings(Fft = 256, Hop = 100, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, Power = 1.0)
      "a tight floor", MelSettings(Fft = 256, Hop = 100, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, TopDb = Nullable 12.0)
      "zeros around", MelSettings(Fft = 256, Hop = 100, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, Padding = "constant", TopDb = plain)
      "ends repeated", MelSettings(Fft = 256, Hop = 100, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, Padding = "replicate", TopDb = plain)
      "ends joined", MelSettings(Fft = 256, Hop = 100, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, Padding = "circular", TopDb = plain)
      "no centring", MelSettings(Fft = 256, Hop = 77, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, Centre = false, TopDb = plain)
      "a short unit window", MelSettings(Fft = 512, WindowLength = 301, UnitWindow = true, Window = "blackman", Hop = 400, Mels = 24, MinHz = 50.0, MaxHz = 7000.0, TopDb = plain)
      "hops longer than the window", MelSettings(Fft = 64, Hop = 300, Mels = 6, MinHz = 100.0, MaxHz = 8000.0, TopDb = plain)
      "filters that hold no bin", MelSettings(Fft = 64, Hop = 30, Mels = 60, MinHz = 50.0, MaxHz = 8000.0, TopDb = plain)
      "more filters than samples in a frame", MelSettings(Fft = 64, Hop = 30, Mels = 100, MinHz = 50.0, MaxHz = 8000.0, TopDb = plain) ]

let private fbankVariants =
    [ "povey", FbankSettings(Bins = 23, Window = "povey")
      "hanning, ends mirrored", FbankSettings(Bins = 23, SnipEdges = false)
      "long hops, ends mirrored", FbankSettings(Bins = 12, FrameMilliseconds = 10.0, ShiftMilliseconds = 14.0, SnipEdges = false)
      "hamming, other pre-emphasis", FbankSettings(Bins = 23, Window = "hamming", PreEmphasis = 0.5)
      "no direct current removed, no pre-emphasis", FbankSettings(Bins = 23, RemoveDc = false, PreEmphasis = 0.0)
      "energy first", FbankSettings(Bins = 23, Energy = EnergyColumn.First)
      "windowed energy last, without floor", FbankSettings(Bins = 23, Energy = EnergyColumn.Last, RawEnergy = false, EnergyFloor = 0.0)
      "magnitude, linear", FbankSettings(Bins = 23, Power = false, Log = false)
      "narrow band, mean removed", FbankSettings(Bins = 9, MinHz = 300.0, MaxHz = -500.0, SubtractMean = true) ]

/// The widest difference in units of the largest number.
let private relative (got: torch.Tensor) (want: torch.Tensor) =
    Expect.equal got.shape want.shape "shape"
    let want = numbers want
    widest (numbers got) want / Array.max (Array.map abs want)

let private twins = [
    for name, settings in melVariants do
        torchTest $"the fused mel spectrogram agrees with torch's operations in float64: {name}" (fun () ->
            use mel = new MelSpectrogram(settings, 16000)
            Expect.isTrue mel.IsFused "fused"
            // Frames in whole groups, in a part of one, and fewer than a vector has lanes.
            for samples in [ 600; 2049; 5321 ] do
                let x = sound 3 samples
                Expect.isLessThan (relative (mel.forward x) (mel.Reference(x.``to`` torch.float64))) 3e-6 $"{samples} samples")
    for name, settings in fbankVariants do
        torchTest $"the fused Kaldi filter bank agrees with torch's operations in float64: {name}" (fun () ->
            use fbank = new KaldiFbank(settings, 16000)
            Expect.isTrue fbank.IsFused "fused"
            for samples in [ 600; 2049; 5321 ] do
                let x = sound 3 samples
                Expect.isLessThan (relative (fbank.forward x) (fbank.Reference(x.``to`` torch.float64))) 3e-6 $"{samples} samples")
    torchTest "other exponents and lengths take torch's operations" (fun () ->
        let fused power fft =
            use mel = new MelSpectrogram(MelSettings(Fft = fft, Hop = 100, Mels = 9, MaxHz = 7000.0, Power = power), 16000)
            mel.IsFused
        Expect.equal [ fused 2.0 512; fused 1.0 512; fused 1.5 512; fused 2.0 400 ] [ true; true; false; false ] "mel"
        use odd = new KaldiFbank(FbankSettings(PowerOfTwo = false), 16000)
        Expect.isFalse odd.IsFused "Kaldi")
    sameBitsAlone [ "mel"; "mel-64"; "kaldi-fbank" ]
    torchTest "frames are the same whether eight or sixteen are computed at once" (fun () ->
        let plan = FramePlan(Fft = 256, Hop = 90, Window = Windows.Named("hanning", 200, false), RemoveMean = true, PreEmphasis = 0.97,
                             Energy = FrameEnergy.Raw, Weights = Array.init (129 * 5) (fun i -> float (i % 7) / 7.0), Logarithm = FrameLogarithm 1e-7)
        let x = sound 2 5000
        let results = [ for width in BatchedFft.Widths -> numbers (FrameFilterBank(plan, Width = width).Apply(x, 53)) ]
        for result in results do
            Expect.isLessThan (widest result results.Head) 1e-5 "another width")
    torchTest "sound that is a view of other memory gives what its copy gives" (fun () ->
        use frontEnd = FrontEnds.Create "mel"
        let wide = sound 2 40000
        let view = wide.narrow(1, 3000, 33000)
        Expect.isFalse (view.is_contiguous ()) "a view"
        Expect.equal (numbers (frontEnd.forward view)) (numbers (frontEnd.forward(view.clone().contiguous()))) "features")
    torchTest "sound that is not a number stays none" (fun () ->
        use frontEnd = FrontEnds.Create "mel"
        let x = sound 2 33000
        x[1, 20000] <- torch.tensor nanf
        let y = frontEnd.forward x
        Expect.isTrue (y[0].isfinite().all().item<bool> ()) "the other clip"
        Expect.isTrue (y[1].isnan().any().item<bool> ()) "the clip itself")
]

let private scaling = [
    for rows, frames in [ 1L, 5L; 3L, 7L; 16L, 333L; 1L, 80000L ] do
        torchTest $"clips of {rows} x {frames} are standardised and floored as torch does it" (fun () ->
            torch.manual_seed 4L |> ignore
            let x = torch.randn(3L, rows, frames) * shaped [ 3L; 1L; 1L ] [| 1.0f; 40.0f; 1e-3f |] + shaped [ 3L; 1L; 1L ] [| 0.0f; -70.0f; 2.0f |]
            let wide = x.``to`` torch.float64
            let centred = wide - wide.mean([| -2L; -1L |], keepdim = true)
            let std = centred.square().mean([| -2L; -1L |], keepdim = true).sqrt()
            let want = centred / (std + torch.tensor(1e-5, torch.float64))
            // The third clip's deviation is a thousandth of its mean: float32 leaves four digits of it.
            for clip, tolerance in [ 0L, 1e-5; 1L, 1e-5; 2L, 2e-3 ] do
                Expect.isLessThan (widest (numbers (ClipScaling.Standardised(x, 1e-5)[clip])) (numbers want[clip])) tolerance $"clip {clip}"
            let floored = x.clone()
            ClipScaling.LiftToFloor(floored, 0.5)
            Expect.equal (numbers floored) (numbers (torch.maximum(x, x.amax([| -2L; -1L |], keepdim = true) - torch.tensor 0.5f))) "floor")
    torchTest "a constant clip is exactly zero" (fun () ->
        Expect.allEqual (numbers (ClipScaling.Standardised(torch.ones(2L, 9L, 11L) * torch.tensor -73.3f, 1e-5))) 0.0 "")
]

let tests : Test =
    testSequencedGroup "torch" (testList "Fused features" [
        testList "transforms" transforms
        testList "twins" twins
        testList "scaling" scaling
    ])
