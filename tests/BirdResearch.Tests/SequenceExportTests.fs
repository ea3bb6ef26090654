module BirdResearch.Tests.SequenceExportTests

open System
open Expecto
open TorchSharp
open BirdResearch.Export
open BirdResearch.Export.Graph
open BirdResearch.Features
open BirdResearch.Inference
open BirdResearch.Kernels
open BirdResearch.Models

let private cardOf (frontEnd: FrontEnd) seconds classes =
    ModelCard(
        Name = "m", Model = "m", FrontEnd = "f", Run = "r", SampleRate = frontEnd.SampleRate, Seconds = seconds, Scores = ScoreRule.Sigmoid, Preprocessing = "",
        Classes = [| for i in 1 .. classes -> $"c{i}" |], Prior = Array.create classes 0.0)

/// Sound in, logits out: torch's front-end and model against one graph of both.
let private whole name (settings: FrontEndSettings) seconds =
    Tensors.torchTest $"{name} behind {settings.Kind} gives torch's logits of raw sound" (fun () ->
        use frontEnd = FrontEnds.Create settings
        let card = cardOf frontEnd seconds 7
        let samples = int64 card.WindowSamples
        use model = Classifiers.Create(name, 7, InputShape(int64 frontEnd.Channels, int64 frontEnd.Rows, frontEnd.Frames samples), ModelOptions(Seed = Nullable 1))
        ExportTests.fill model
        model.eval ()
        use _ = torch.no_grad ()
        use session = new OnnxSession(OnnxFile.Bytes(OnnxExport.Graph(frontEnd, model, card), card.ToMetadata()))
        for clips in [ 1; 3 ] do
            let x = Tensors.sound clips (int samples)
            let want = model.call(frontEnd.call x).data<float32>().ToArray()
            let got = session.Run(ReadOnlyMemory(x.data<float32>().ToArray()), x.shape)
            let largest = want |> Array.map abs |> Array.max
            Expect.isGreaterThan largest 1e-2f "logits worth comparing"
            Expect.isLessThan ((Array.map2 (fun a b -> abs (a - b)) want got |> Array.max) / largest) 1e-4f $"{clips} clips")

let private small (kind: string) =
    FrontEndSettings(Kind = kind, SampleRate = 16000, Mel = MelSettings(Mels = 32, Hop = 400, MaxHz = 7600.0), Fbank = FbankSettings(Bins = 32))

let private agrees (model: Classifier) =
    ExportTests.fill model
    model.eval ()
    for clips in [ 1L; 3L ] do
        let x = torch.randn(clips, model.Input.Channels, model.Input.Rows, model.Input.Frames).mul_(torch.tensor 0.3f)
        Expect.isLessThan (ExportTests.difference model x) 1e-4f $"{clips} clips"

let private levels mixer = [| SashimiLevel(mixer, 2, States = Nullable 6L); SashimiLevel(mixer, 1, States = Nullable 4L, FeedForward = 0) |]

/// The largest difference over the largest value between torch's tensor and a graph of one input.
let private apart (want: torch.Tensor) (x: torch.Tensor) (add: OnnxGraph -> OnnxValue -> OnnxValue) =
    let graph = OnnxGraph()
    let input = graph.Input("x", OnnxType.Float, "batch", x.shape[1], x.shape[2])
    graph.Output("y", add graph input, OnnxType.Float, null)
    use session = new OnnxSession(OnnxFile.Bytes(graph, Collections.Generic.Dictionary<string, string>()))
    let got = session.Run(ReadOnlyMemory(x.data<float32>().ToArray()), x.shape)
    let want = want.contiguous().data<float32>().ToArray()
    (Array.map2 (fun a b -> abs (a - b)) want got |> Array.max) / (want |> Array.map abs |> Array.max)

let private scanned (clips: int64) (length: int64) (reverse: bool) =
    Tensors.torchTest $"""the scan of {clips} x {length} tokens from the {(if reverse then "last" else "first")} is the kernel's""" (fun () ->
        let channels, states = 5L, 3L
        let part (width: int64) = torch.randn(clips, length, width)
        let u, delta, b, c = part channels, torch.nn.functional.softplus (part channels), part states, part states
        let a = torch.rand(channels, states).add_(torch.tensor 0.1f).neg_ ()
        let ways (t: torch.Tensor) = t.transpose(1L, 2L)
        let want = (SelectiveScan.Reference(ScanInputs(ways u, ways delta, a, ways b, ways c, Reverse = reverse))).Y |> ways
        let x = torch.cat([| u; delta; b; c |], 2L)
        let difference =
            apart want x (fun graph input ->
                let parts = graph.Add("Split", [| input; graph.Integers(channels, channels, states, states) |], 4, OnnxAttribute.op_Implicit (struct ("axis", 2L)))
                let decay = graph.Floats(ReadOnlySpan(a.t().contiguous().data<float32>().ToArray()), states, channels)
                ScanNodes.Scan(graph, parts[0], parts[1], decay, parts[2], parts[3], struct (length, channels, states), reverse))
        Expect.isLessThan difference 1e-5f "of the largest output")

let private chunked (length: int64) (chunk: int64) (bidirectional: bool) =
    Tensors.torchTest $"""S4D {(if bidirectional then "both ways" else "one way")} over {length} tokens in chunks of {chunk} is torch's""" (fun () ->
        use _ = torch.no_grad ()
        use layer = new S4Convolution(6L, S4Settings(States = 8L, Bidirectional = bidirectional))
        for clips in [ 1L; 3L ] do
            let x = torch.randn(clips, length, 6L)
            let difference =
                apart (layer.call x) x (fun graph input ->
                    graph.Add("Gelu", [| StateSpaceNodes.Convolve(graph, input, layer, length, Nullable chunk) |]))
            Expect.isLessThan difference 1e-5f $"{clips} clips")

let tests =
    testSequencedGroup "torch" <| testList "Sequence export" [
        whole "mamba_tiny" (small "mel") 0.6
        whole "vim_tiny" (small "kaldi-fbank") 0.6
        whole "ssamba_test_tiny" (small "kaldi-fbank") 0.6
        whole "mamba_raw_tiny" (small "waveform") 0.1003
        whole "sashimi_mamba_tiny" (small "waveform") 0.1003
        for clips in [ 1L; 3L ] do
            for length in [ 1L; 37L; 250L ] do
                for reverse in [ false; true ] do
                    scanned clips length reverse
        for length in [ 1L; 61L; 128L ] do
            for chunk in [ 4L; 16L; 128L ] do
                for bidirectional in [ false; true ] do
                    chunked length chunk bidirectional
        for samples in [ 1L; 63L; 1024L; 5001L ] do
            Tensors.torchTest $"S4D over {samples} samples is the same in chunks" (fun () ->
                use model = Classifiers.Create("sashimi_s4d_tiny", 5, InputShape(1L, 1L, samples), ModelOptions(Seed = Nullable 2))
                agrees model)
        for mixer in [ SashimiMixer.S4; SashimiMixer.Mamba; SashimiMixer.Vim; SashimiMixer.MambaInTurn ] do
            for unet in [ false; true ] do
                for bidirectional in (if mixer = SashimiMixer.S4 then [ false; true ] else [ true ]) do
                    let form = if unet then "with blocks on the way down" else "without blocks on the way down"
                    let ways = if bidirectional then "both ways" else "one way"
                    Tensors.torchTest $"SaShiMi of {mixer} {form}, {ways}, exports" (fun () ->
                        let settings =
                            SashimiSettings(Width = 8, Pools = [| 3 |], Levels = levels mixer, Unet = unet, S4 = S4Settings(Bidirectional = bidirectional))
                        use model = new SashimiClassifier("s", settings, SoundInput.Linear, 5, InputShape(1L, 2L, 100L), ModelOptions())
                        agrees model)
        Tensors.torchTest "SaShiMi on mu-law codes exports" (fun () ->
            let settings = SashimiSettings(Width = 8, Pools = [| 3 |], Levels = levels SashimiMixer.S4)
            use model = new SashimiClassifier("s", settings, SoundInput.MuLaw, 5, InputShape(1L, 1L, 400L), ModelOptions())
            agrees model)
        Tensors.torchTest "S4 with a low-rank part is refused by name" (fun () ->
            let settings = SashimiSettings(Width = 8, Pools = [| 3 |], Levels = levels SashimiMixer.S4, S4 = S4Settings(Mode = S4Mode.DiagonalPlusLowRank, Starts = [| "legs" |]))
            use model = new SashimiClassifier("s", settings, SoundInput.Linear, 5, InputShape(1L, 1L, 90L), ModelOptions())
            let message = (Expect.throwsC (fun () -> OnnxExport.Graph model |> ignore) id).Message
            Expect.stringContains message "low-rank" "the message")
        Tensors.torchTest "SSAMBA that reads its class token exports" (fun () ->
            let settings = SsambaSettings(Width = 48, Depth = 4, Pooling = TokenPooling.ClassToken)
            use model = new Ssamba("s", settings, 5, InputShape(1L, 37L, 75L), ModelOptions())
            agrees model)
    ]
