module BirdResearch.Tests.FrontEndExportTests

open System
open Expecto
open TorchSharp
open BirdResearch.Export
open BirdResearch.Export.Graph
open BirdResearch.Features
open BirdResearch.Inference

let private none = System.Collections.Generic.Dictionary<string, string>()

let private kinds = [ "noise"; "silence"; "impulse"; "quiet noise"; "clipped"; "chirp" ]

/// One clip of each kind, the same on every run.
let private sounds (samples: int) (rate: int) =
    let random = Random 11
    kinds
    |> List.map (fun kind ->
        Array.init samples (fun i ->
            let t, hiss = float i / float rate, 2.0 * random.NextDouble() - 1.0
            float32 (
                match kind with
                | "noise" -> 0.1 * hiss
                | "silence" -> 0.0
                | "impulse" -> if i = samples / 3 then 1.0 else 0.0
                | "quiet noise" -> 1e-4 * hiss
                | "clipped" -> Math.Clamp(3.0 * hiss + 2.0 * sin (9400.0 * t), -1.0, 1.0)
                | _ -> 0.003 * hiss + 0.3 * sin (2.0 * Math.PI * (2000.0 + 1500.0 * sin (7.0 * t)) * t) * max 0.0 (sin (9.0 * t)))))

let private batch (clips: float32[] list) =
    torch.tensor(Array.concat clips).reshape(int64 clips.Length, -1L)

/// A front-end alone as an ONNX model in onnxruntime.
let private exported (frontEnd: FrontEnd) (samples: int64) =
    let graph = OnnxGraph()
    let input = graph.Input("samples", OnnxType.Float, "batch", samples)
    let features = FrontEndNodes.Add(graph, frontEnd, input, samples)
    graph.Output("features", features, OnnxType.Float, "batch", frontEnd.Channels, frontEnd.Rows, frontEnd.Frames samples)
    new OnnxSession(OnnxFile.Bytes(graph, none))

let private ready (settings: FrontEndSettings) (samples: int) =
    let frontEnd = FrontEnds.Create settings
    frontEnd.eval ()
    if not frontEnd.IsFitted then
        torch.manual_seed 5L |> ignore
        let noise (level: float32) = [ torch.randn(24L, int64 samples).mul_(torch.tensor level) ]
        frontEnd.Fit(noise 0.1f, noise 0.01f)
    frontEnd

/// Compares clip by clip, in a batch of all kinds and one by one, with what the front-end gives.
let private compare (settings: FrontEndSettings) (check: FrontEnd -> string -> torch.Tensor -> float32[] -> float32[] -> unit) =
    let samples = settings.SampleRate // a second
    use frontEnd = ready settings samples
    use session = exported frontEnd samples
    let clips = sounds samples settings.SampleRate
    for group in List.map List.singleton (List.zip kinds clips) @ [ List.zip kinds clips ] do
        let x = batch (List.map snd group)
        let want = frontEnd.call(x).contiguous().data<float32>().ToArray()
        let got = session.Run(ReadOnlyMemory(Array.concat (List.map snd group)), x.shape)
        Expect.equal got.Length want.Length "as many numbers"
        let each = want.Length / group.Length
        group |> List.iteri (fun i (kind, clip) -> check frontEnd kind (batch [ clip ]) want[i * each .. (i + 1) * each - 1] got[i * each .. (i + 1) * each - 1])

/// Worst and root-mean-square difference over the clip's largest magnitude. A logarithm near its floor makes much of a last bit.
let private near _ kind _ (want: float32[]) (got: float32[]) =
    let scale = want |> Array.fold (fun m x -> max m (abs (float x))) 1e-6
    let apart = Array.map2 (fun (a: float32) (b: float32) -> abs (float a - float b) / scale) want got
    Expect.isLessThan (Array.max apart) 2e-3 $"{kind}, the worst"
    Expect.isLessThan (sqrt (apart |> Array.averageBy (fun d -> d * d))) 2e-5 $"{kind}, root mean square"

/// Codes agree but for units that lie at their limit to within the last bits; those that stay have the same activation.
let private sameCode (settings: FrontEndSettings) (frontEnd: FrontEnd) kind (clip: torch.Tensor) (want: float32[]) (got: float32[]) =
    let expansion = settings.Expansion
    let expanding = frontEnd :?> ExpandAndSparsify
    let activations = expanding.Activations(expanding.Mel.call(clip).squeeze 1L).squeeze 0L   // (steps, units)
    let steps = activations.shape[0]
    let limit =
        let kth (values: torch.Tensor) k = // the k-th largest of each row
            let struct (sorted, _) = values.sort(1L, true)
            sorted.narrow(1, k - 1L, 1L)
        match expanding.Thresholds, expansion.Rule with
        | null, SparsityRule.PerStep -> kth activations (int64 expansion.K)
        | null, _ -> kth (activations.reshape(1L, -1L)) (steps * int64 expansion.K)
        | thresholds, _ -> thresholds
    let scale = activations.abs().max().item<float32> ()
    let margin = (activations - limit).abs().t().contiguous().data<float32>().ToArray()       // (units, steps)
    let flipped = Array.zip3 want got margin |> Array.filter (fun (a, b, _) -> (a = 0f) <> (b = 0f))
    for _, _, apart in flipped do Expect.isLessThanOrEqual apart (1e-4f * scale) $"{kind}: a unit away from its limit"
    let kept = Array.zip want got |> Array.filter (fun (a, b) -> a <> 0f && b <> 0f)
    for a, b in kept do Expect.isLessThanOrEqual (abs (a - b)) (1e-4f * max 1f scale) $"{kind}: an activation that stays"
    if scale > 1e-4f && kind <> "impulse" then
        Expect.isLessThan (float flipped.Length) (0.002 * float want.Length) $"{kind}: units at their limit"

let private named name (settings: FrontEndSettings) =
    Tensors.torchTest $"{name} gives the same features in onnxruntime, for any batch and any sound" (fun () ->
        compare settings (if settings.Kind = "expand-and-sparsify" then sameCode settings else near))

let private withMel change = FrontEndSettings(Kind = "mel", SampleRate = 16000, Mel = change)
let private withFbank change = FrontEndSettings(Kind = "kaldi-fbank", SampleRate = 16000, Fbank = change)

/// Settings that no front-end of the catalogue has.
let private others =
    [ "mel without centring", withMel (MelSettings(Centre = false, MaxHz = 7600.0))
      "mel padded with zeros", withMel (MelSettings(Padding = "constant", MaxHz = 7600.0))
      "mel padded with the end sample", withMel (MelSettings(Padding = "replicate", MaxHz = 7600.0))
      "mel padded round about", withMel (MelSettings(Padding = "circular", MaxHz = 7600.0))
      "mel of magnitudes", withMel (MelSettings(Power = 1.0, MaxHz = 7600.0))
      "mel of other powers without dB", withMel (MelSettings(Power = 1.5, TopDb = Nullable(), MaxHz = 7600.0))
      "mel with an FFT of 600 and a window of 401", withMel (MelSettings(Fft = 600, WindowLength = 401, Hop = 210, MaxHz = 7600.0, Mels = 40))
      "mel with a hop above its FFT", withMel (MelSettings(Fft = 256, Hop = 300, Mels = 20, MaxHz = 8000.0, Norm = "none", Scale = "htk"))
      "mel on three channels as it is", FrontEndSettings(Kind = "mel", SampleRate = 16000, Channels = 3, Normalisation = Normalisation.None, Mel = MelSettings(MaxHz = 7600.0))
      "mel less the median of each row", FrontEndSettings(Kind = "mel", SampleRate = 16000, RowQuantile = Nullable 0.5, Mel = MelSettings(MaxHz = 7600.0, Hop = 333))
      "mel less each row's peak", FrontEndSettings(Kind = "mel", SampleRate = 16000, RowQuantile = Nullable 1.0, Mel = MelSettings(MaxHz = 7600.0))
      "pcen from librosa's start, as bioacoustics take it", FrontEndSettings(Kind = "pcen", SampleRate = 16000, Mel = MelSettings(MaxHz = 7600.0), Pcen = PcenSettings(Gain = 0.8, Bias = 10.0, Power = 0.25, TimeConstantSeconds = 0.06, Start = PcenStart.One))
      "pcen less a quantile, bare, on three channels", FrontEndSettings(Kind = "pcen", SampleRate = 16000, RowQuantile = Nullable 0.3, Normalisation = Normalisation.None, Channels = 3, Mel = MelSettings(MaxHz = 7600.0, Mels = 40))
      "fbank without snipped edges, energy first", withFbank (FbankSettings(SnipEdges = false, Energy = EnergyColumn.First))
      "fbank with its windowed energy last, bare", withFbank (FbankSettings(Energy = EnergyColumn.Last, RawEnergy = false, PreEmphasis = 0.0, RemoveDc = false))
      "fbank of magnitudes less their mean", withFbank (FbankSettings(Power = false, SubtractMean = true, Window = "povey", Bins = 40))
      "fbank cut to 50 frames, FFT as long as the frame", withFbank (FbankSettings(TargetFrames = 50, PowerOfTwo = false, Bins = 40))
      "mu-law sound", FrontEndSettings(Kind = "waveform", SampleRate = 16000, Normalisation = Normalisation.None, Waveform = WaveformSettings(Encoding = "mu-law")) ]

let tests =
    testSequencedGroup "torch" <| testList "Front-end export" [
        for KeyValue(name, settings) in Seq.append FrontEnds.All ExpansionArms.All do
            named name settings
        for name, settings in others do
            named name settings
        Tensors.torchTest "mu-law levels are the same but for samples at a level's edge" (fun () ->
            let settings = FrontEndSettings(Kind = "waveform", SampleRate = 16000, Normalisation = Normalisation.None, Waveform = WaveformSettings(Encoding = "mu-law", Levels = Nullable 256))
            compare settings (fun _ kind _ want got ->
                let moved = Array.map2 (fun (a: float32) b -> abs (a - b)) want got
                Expect.isLessThan (Array.max moved) 0.008f $"{kind}: at most one level of 2 / 255"
                Expect.isLessThan (moved |> Array.filter (fun d -> d > 1e-4f) |> Array.length) 4 $"{kind}: samples that moved"))
        test "a front-end that was not fitted is refused" {
            use frontEnd = FrontEnds.Create "es64-attuned"
            Expect.throwsT<InvalidOperationException> (fun () -> (exported frontEnd 32000L).Dispose()) "not fitted"
        }
    ]
