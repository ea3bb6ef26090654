module BirdResearch.Tests.SashimiTests

open System
open Expecto
open TorchSharp
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Tests.Tensors

let private wide (shape: int64 list) = torch.randn(Array.ofList shape, dtype = torch.float64)

let private far (a: torch.Tensor) (b: torch.Tensor) = widest (numbers a) (numbers b)

let private settings =
    S4Settings(States = 8L)

let private lowRank = S4Settings(States = 8L, Mode = S4Mode.DiagonalPlusLowRank, Starts = [| "legs" |])

let private level layers = SashimiLevel(SashimiMixer.S4, layers)

let private small = SashimiSettings(Width = 4L, Pools = [| 2; 3 |], Levels = [| level 1; level 1; level 1 |], S4 = settings)

/// y_t = sum_{j <= t} k[t - j] x_j + sum_{j > t} f[j - t - 1] x_j, as it is written. x is (B, H, L), k and f are (K, H, M).
let private direct (x: torch.Tensor) (kernel: torch.Tensor) (future: torch.Tensor option) =
    let batch, channels, length = int x.shape[0], int x.shape[1], int x.shape[2]
    let kernels, reach = int kernel.shape[0], int kernel.shape[2]
    let xs, ks = numbers x, numbers kernel
    let fs = future |> Option.map numbers
    [| for b in 0 .. batch - 1 do
        for k in 0 .. kernels - 1 do
            for h in 0 .. channels - 1 do
                for t in 0 .. length - 1 ->
                    Seq.sum (seq {
                        for j in 0 .. length - 1 do
                            let input = xs[(b * channels + h) * length + j]
                            let place lag = (k * channels + h) * reach + lag
                            if j <= t && t - j < reach then input * ks[place (t - j)]
                            if j > t && j - t - 1 < reach then
                                match fs with
                                | Some f -> input * f[place (j - t - 1)]
                                | None -> () }) |]

let private convolutions =
    testList "long convolution" [
        for length, reach in [ 1L, 1L; 2L, 2L; 17L, 17L; 16L, 5L ] do
            torchTest $"through the Fourier transform is the sum over the past at {length} tokens and reach {reach}" (fun () ->
                let x, k = wide [ 2L; 3L; length ], wide [ 2L; 3L; reach ]
                Expect.isLessThan (widest (numbers (FourierConvolution.Apply(x, k))) (direct x k None)) 1e-12 "y")
            torchTest $"with a kernel of the future begins there at the next token, at {length} tokens and reach {reach}" (fun () ->
                let x, k, f = wide [ 2L; 3L; length ], wide [ 2L; 3L; reach ], wide [ 2L; 3L; reach ]
                Expect.isLessThan (widest (numbers (FourierConvolution.Apply(x, k, f))) (direct x k (Some f))) 1e-12 "y")
        for length in [ 1L; 2L; 3L; 50L ] do
            torchTest $"kernels of {length} tokens are sums of powers" (fun () ->
                let complex shape = torch.complex (wide shape, wide shape)
                let weights, steps = complex [ 2L; 3L; 4L ], torch.complex (-(wide([ 3L; 4L ]).abs ()), wide [ 3L; 4L ])
                let powers = (steps.unsqueeze -1 * torch.arange (length, dtype = torch.float64)).exp ()
                let plain = (weights.unsqueeze -1 * powers).real.sum [| -2L |]
                Expect.isLessThan (far (PowerSum.Apply(weights, steps, length)) plain) 1e-12 "K") ]

let private hippo =
    testList "HiPPO" [
        for states in [ 2L; 8L; 64L ] do
            torchTest $"LegS with {states} states is normal but for a matrix of rank one, and its start holds the eigenvalues" (fun () ->
                let struct (a, b) = Hippo.Legs states
                let start = Hippo.Start("legs", states)
                let p = (torch.arange (states, dtype = torch.float64) + torch.tensor 0.5).sqrt ()
                let normal = a + p.unsqueeze 1 * p.unsqueeze 0
                let scale = normal.abs().max().item<float> ()
                Expect.isLessThan (far (normal.matmul (normal.t ())) (normal.t().matmul normal)) (1e-12 * scale * scale) "normal"
                // characteristic numbers of A from the half of the pairs: trace of A, of A A, |B|^2 and B^T A B
                let lambda, q = start.Lambda, start.P
                let dense = torch.diag lambda - q.unsqueeze 1 * q.conj().unsqueeze 0
                let whole = torch.cat [| lambda; lambda.conj () |]
                let wholeP = torch.cat [| q; q.conj () |]
                let rebuilt = torch.diag whole - wholeP.unsqueeze 1 * wholeP.conj().unsqueeze 0
                let trace (m: torch.Tensor) = m.trace ()
                Expect.isLessThan (far (trace rebuilt).real (trace a)) (1e-9 * scale) "trace of A"
                Expect.isLessThan (far (trace (rebuilt.matmul rebuilt)).real (trace (a.matmul a))) (1e-9 * scale * scale) "trace of A A"
                Expect.isLessThan (far lambda.real (torch.full_like (lambda.real, -0.5))) 1e-12 "real parts"
                Expect.isLessThan (far (2.0 * q.abs().square().sum ()) (p.square().sum ())) (1e-9 * scale) "length of P"
                Expect.isLessThan (lambda.imag.max().item<float> ()) 0.0 "of each pair the lower one"
                Expect.equal (List.ofArray dense.shape) [ states / 2L; states / 2L ] "half"
                Expect.isGreaterThanOrEqual (start.B.imag.min().item<float> ()) -2.0 "Im(B) is held within 2"
                Expect.equal b.shape[0] states "B")
        torchTest "the linear and inverse starts follow their formulas" (fun () ->
            let imaginary name = numbers (Hippo.Start(name, 8L).Lambda.imag) |> List.ofArray
            for got, want in List.zip (imaginary "diag-lin") [ for n in 0..3 -> -Math.PI * float n ] do
                Expect.floatClose Accuracy.high got want "diag-lin"
            for got, want in List.zip (imaginary "diag-inv") [ for n in 0..3 -> -(8.0 / Math.PI) * (8.0 / float (1 + 2 * n) - 1.0) ] do
                Expect.floatClose Accuracy.high got want "diag-inv")
        test "an unknown start and an odd number of states are refused" {
            Expect.stringContains (messageOf (fun () -> Hippo.Start("lags", 8L))) "'lags'" "name"
            Expect.stringContains (messageOf (fun () -> Hippo.Start("legs", 7L))) "7" "states"
        } ]

/// Compares the gradients of all parameters and of the input with central differences in float64.
let private differences (model: torch.nn.Module<torch.Tensor, torch.Tensor>) (x: torch.Tensor) =
    let loss () =
        use _ = torch.NewDisposeScope()
        let y = model.call x
        (y * torch.linspace(-1.0, 1.0, y.numel (), torch.float64).reshape y.shape).sum().MoveToOuterDisposeScope()
    (loss ()).backward ()
    for name, tensor in [ "input", x ] @ [ for struct (name, p) in model.named_parameters () -> name, (p :> torch.Tensor) ] do
        let gradient = numbers (nonNull tensor.grad)
        let scale = Array.maxBy abs gradient |> abs
        use off = torch.no_grad ()
        let flat = tensor.detach().view -1L
        for place in [ 0L; flat.numel () / 2L; flat.numel () - 1L ] do
            let at (step: float) =
                let old = flat[place].item<float> ()
                flat[place] <- torch.tensor (old + step)
                let value = loss().item<float> ()
                flat[place] <- torch.tensor old
                value
            let measured = (at 1e-5 - at -1e-5) / 2e-5
            Expect.isLessThan (abs (measured - gradient[int place])) (1e-6 * (scale + 1.0)) $"{name}[{place}]"

let private states =
    testList "state spaces" [
        for name, s in
            [ "diagonal", settings
              "bilinear, bidirectional, shared, with softplus and two heads",
              S4Settings(
                  States = 8L, Discretisation = Discretisation.Bilinear, Bidirectional = true, Copies = Nullable 1L,
                  StepTransform = StepTransform.Softplus, Heads = 2L
              )
              "low-rank", lowRank
              "low-rank, bidirectional", S4Settings(States = 8L, Mode = S4Mode.DiagonalPlusLowRank, Starts = [| "legs" |], Bidirectional = true) ] do
            torchTest $"gradients of a block are those of finite differences: {name}" (fun () ->
                torch.manual_seed 3L |> ignore
                use block = new S4Block(4L, s)
                block.``to`` torch.float64 |> ignore
                let x = wide([ 2L; 7L; 4L ]).requires_grad_ ()
                block.call x |> ignore // the low-rank form turns its C at the first length
                differences block x)
        torchTest "gradients of the minimal layer are those of finite differences" (fun () ->
            torch.manual_seed 4L |> ignore
            use layer = new S4D(4L, 8L)
            layer.``to`` torch.float64 |> ignore
            differences layer (wide([ 2L; 4L; 7L ]).requires_grad_ ()))
        torchTest "a low-rank kernel stays the same when a longer one is asked for" (fun () ->
            use kernel = new S4Kernel(3L, 2L, lowRank)
            kernel.``to`` torch.float64 |> ignore
            use _ = torch.no_grad ()
            let first = kernel.Kernels 20L
            Expect.equal kernel.HeldLength 20L "length"
            let longer = kernel.Kernels 50L
            Expect.equal kernel.HeldLength 80L "doubled until it is long enough"
            Expect.isLessThan (far first (longer.narrow (2, 0L, 20L))) 1e-9 "first tokens"
            Expect.isLessThan (far first (kernel.Kernels 20L)) 1e-9 "asked again")
        for length in [ 1L; 12L; 13L ] do
            torchTest $"a low-rank kernel without its low-rank part is the bilinear diagonal one, at {length} tokens" (fun () ->
                let diagonal = S4Settings(States = 8L, Discretisation = Discretisation.Bilinear, Starts = [| "diag-legs" |])
                use plain = new S4Kernel(3L, 1L, diagonal)
                use full = new S4Kernel(3L, 1L, lowRank)
                use _ = torch.no_grad ()
                for struct (name, parameter) in full.named_parameters () do
                    match plain.get_parameter name with
                    | null -> parameter.zero_ () |> ignore
                    | other -> parameter.copy_ other |> ignore
                plain.``to`` torch.float64 |> ignore
                full.``to`` torch.float64 |> ignore
                Expect.isLessThan (far (plain.Kernels length) (full.Kernels length)) 1e-9 "kernels")
        torchTest "shared copies give every channel of a copy the same powers" (fun () ->
            use kernel = new S4Kernel(4L, 1L, S4Settings(States = 8L, Copies = Nullable 2L, Starts = [| "diag-inv"; "diag-lin" |]))
            use _ = torch.no_grad ()
            (nonNull (kernel.get_parameter "inv_dt")).fill_ (-3.0f.ToScalar()) |> ignore
            let struct (logs, _) = kernel.Powers()
            Expect.isLessThan (far logs[0].imag logs[2].imag) 1e-9 "channels 0 and 2"
            Expect.isGreaterThan (far logs[0].imag logs[1].imag) 1e-3 "channels 0 and 1")
        test "settings that do not fit are refused with their numbers" {
            for settings, part in
                [ S4Settings(Copies = Nullable 3L), "divisor of the width 4, but is 3"
                  S4Settings(States = 7L), "7"
                  S4Settings(Dropout = 1.0), "Dropout"
                  S4Settings(LeastStep = 0.0), "LeastStep" ] do
                Expect.stringContains (messageOf (fun () -> new S4Block(4L, settings))) part "message"
        } ]

/// Output and gradients of a scan of any form, for inputs given in float32.
let private outcome (scan: torch.Tensor * torch.Tensor * torch.Tensor * torch.Tensor -> torch.Tensor) (precision: torch.ScalarType) (inputs: torch.Tensor list) =
    let leaves = inputs |> List.map (fun t -> t.``to``(precision, copy = true).requires_grad_ ())
    let complex (t: torch.Tensor) = torch.view_as_complex t
    let y = scan (leaves[0], complex leaves[1], complex leaves[2], leaves[3])
    (y * torch.linspace(-1.0, 1.0, y.numel (), precision).reshape y.shape).sum().backward ()
    numbers y :: [ for leaf in leaves -> numbers (nonNull leaf.grad) ]

let private scan =
    testList "diagonal scan" [
        for form in [ "vector256"; "vector512" ] do
            for length, channels, count, directions, gelu in
                [ 1L, 1L, 1L, 1L, false; 1L, 3L, 2L, 2L, true; 64L, 16L, 4L, 1L, true; 65L, 17L, 3L, 2L, false; 300L, 40L, 5L, 2L, true ] do
                let what = if gelu then " and GELU" else ""
                torchTest $"{form} is the long convolution and its gradients at {length} tokens, {channels} channels, {count} states, {directions} directions{what}" (fun () ->
                    if form = "vector512" && not (Runtime.Intrinsics.Vector512.IsHardwareAccelerated) then
                        skiptest "this processor has no AVX-512"
                    torch.manual_seed 5L |> ignore
                    let decay = -(torch.rand (channels, count) + 0.01f.ToScalar() |> fun t -> t * 0.3f.ToScalar())
                    let turn = torch.randn (channels, count) * 2.0f.ToScalar()
                    let inputs =
                        [ torch.randn (2L, length, channels)
                          torch.stack ([| decay; turn |], -1L)
                          torch.randn (directions, channels, count, 2L)
                          torch.randn channels ]
                    let reference = outcome (fun (u, a, w, d) -> DiagonalScan.Reference(u, a, w, d, gelu)) torch.float64 inputs
                    let fast = withForm form (fun () -> outcome (fun (u, a, w, d) -> DiagonalScan.Apply(u, a, w, d, gelu)) torch.float32 inputs)
                    for name, want, got in List.zip3 [ "y"; "du"; "d log a"; "dw"; "dD" ] reference fast do
                        let scale = want |> Array.map abs |> Array.max
                        Expect.isLessThan (widest want got) (1e-5 * (scale + 1e-3)) $"{name}, as large as {scale}")
        torchTest "a diagonal scan stays exact over a long clip with slow states" (fun () ->
            torch.manual_seed 6L |> ignore
            let rate = torch.logspace (-3.0, -1.0, 8L, 10.0, torch.float32)
            let turn = torch.outer (rate, torch.arange (4L, dtype = torch.float32) * (float32 Math.PI).ToScalar())
            let inputs =
                [ torch.randn (1L, 20000L, 8L)
                  torch.stack ([| (rate * -0.5f.ToScalar()).unsqueeze(-1).expand_as turn; turn |], -1L)
                  torch.randn (2L, 8L, 4L, 2L)
                  torch.randn 8L ]
            let reference = outcome (fun (u, a, w, d) -> DiagonalScan.Reference(u, a, w, d)) torch.float64 inputs
            let fast = outcome (fun (u, a, w, d) -> DiagonalScan.Apply(u, a, w, d)) torch.float32 inputs
            for name, want, got in List.zip3 [ "y"; "du"; "d log a"; "dw"; "dD" ] reference fast do
                let scale = want |> Array.map abs |> Array.max
                Expect.isLessThan (widest want got) (2e-4 * scale) $"{name}, as large as {scale}")
        torchTest "a state that is not a number stays so" (fun () ->
            let u = torch.zeros (1L, 200L, 16L)
            u[torch.TensorIndex.Single 0L, torch.TensorIndex.Single 3L] <- torch.tensor nanf
            let a = torch.complex (torch.full ([| 16L; 4L |], -0.1f.ToScalar()), torch.zeros (16L, 4L))
            let y = DiagonalScan.Apply(u, a, torch.ones_like(a).unsqueeze 0, torch.ones 16L)
            Expect.isTrue (Double.IsNaN (numbers y |> Array.last)) "last output")
        torchTest "shapes that do not fit are refused with all of them" (fun () ->
            let a = torch.complex (torch.zeros (4L, 2L), torch.zeros (4L, 2L))
            let message = messageOf (fun () -> DiagonalScan.Apply(torch.zeros (1L, 5L, 4L), a, torch.ones_like a, torch.ones 4L))
            Expect.stringContains message "(1, 5, 4)" "message") ]

let private gate =
    testList "gated unit" [
        for form in [ "vector256"; "vector512" ] do
            for width in [ 1L; 16L; 21L ] do
                torchTest $"{form} is torch's own and its gradient at width {width}" (fun () ->
                    if form = "vector512" && not Runtime.Intrinsics.Vector512.IsHardwareAccelerated then
                        skiptest "this processor has no AVX-512"
                    let x = torch.randn (3L, 700L, 2L * width) * 4.0f.ToScalar()
                    let outcome (unit: torch.Tensor -> torch.Tensor) (precision: torch.ScalarType) =
                        let leaf = x.``to``(precision, copy = true).requires_grad_ ()
                        let y = unit leaf
                        (y * y).sum().backward ()
                        y, nonNull leaf.grad
                    let y, dx = withForm form (fun () -> outcome GatedUnit.Apply torch.float32)
                    let plain, slope = outcome GatedUnit.Reference torch.float64
                    for name, want, got in [ "y", numbers plain, numbers y; "dx", numbers slope, numbers dx ] do
                        Expect.isLessThan (widest want got) (1e-6 * (want |> Array.map abs |> Array.max)) name)
        torchTest "an odd width is refused" (fun () ->
            Expect.stringContains (messageOf (fun () -> GatedUnit.Apply(torch.zeros (2L, 3L)))) "which is 3" "message") ]

let private backbone =
    testList "backbone" [
        // the counts of the published code with its defaults
        for name, unet, s, count in
            [ "low-rank", false, S4Settings(Mode = S4Mode.DiagonalPlusLowRank, Starts = [| "legs" |]), 5414656L
              "low-rank with shared copies", false, S4Settings(Mode = S4Mode.DiagonalPlusLowRank, Starts = [| "legs" |], Copies = Nullable 1L), 4731136L
              "diagonal", false, S4Settings(), 5185280L
              "diagonal, U-Net, bidirectional", true, S4Settings(Bidirectional = true), 6807808L ] do
            torchTest $"has the published number of parameters: {name}" (fun () ->
                use model = new Sashimi(SashimiSettings(Unet = unet, S4 = s))
                Expect.equal (model.parameters () |> Seq.sumBy _.numel()) count "parameters")
        for unet in [ false; true ] do
            torchTest $"is causal with causal layers, U-Net {unet}" (fun () ->
                use model = new Sashimi(SashimiSettings(Width = 4L, Pools = [| 2; 3 |], Levels = small.Levels, S4 = settings, Unet = unet))
                model.``to`` torch.float64 |> ignore
                use _ = torch.no_grad ()
                let x = wide [ 1L; 24L; 4L ]
                let plain = model.call x
                for place in [ 0L; 5L; 6L; 7L; 11L; 12L; 23L ] do
                    let other = x.clone ()
                    other[torch.TensorIndex.Single 0L, torch.TensorIndex.Single place] <- wide [ 4L ]
                    let changed = (model.call other - plain).abs().amax [| 0L; 2L |] |> numbers
                    let first = changed |> Array.findIndex (fun d -> d > 1e-12)
                    Expect.equal first (int place) $"the first output that token {place} changes")
        torchTest "sees the future with bidirectional layers" (fun () ->
            use model = new Sashimi(SashimiSettings(Width = 4L, Pools = [| 2 |], Levels = [| level 1; level 1 |], S4 = S4Settings(States = 8L, Bidirectional = true)))
            model.``to`` torch.float64 |> ignore
            use _ = torch.no_grad ()
            let x = wide [ 1L; 24L; 4L ]
            let other = x.clone ()
            other[torch.TensorIndex.Single 0L, torch.TensorIndex.Single 23L] <- wide [ 4L ]
            Expect.isGreaterThan (far ((model.call other).narrow (1, 0L, 1L)) ((model.call x).narrow (1, 0L, 1L))) 1e-9 "first output")
        for layers, seen in [ 1, false; 2, true ] do
            torchTest $"with {layers} Mamba layers in turn the first output sees the last token: {seen}" (fun () ->
                let level = SashimiLevel(SashimiMixer.MambaInTurn, layers, FeedForward = 0, States = Nullable 2L)
                use model = new Sashimi(SashimiSettings(Width = 4L, Pools = [||], Levels = [| level |]))
                model.``to`` torch.float64 |> ignore
                use _ = torch.no_grad ()
                let x = wide [ 1L; 6L; 4L ]
                let other = x.clone ()
                other[torch.TensorIndex.Single 0L, torch.TensorIndex.Single 5L] <- wide [ 4L ]
                Expect.equal (far ((model.call other).narrow (1, 0L, 1L)) ((model.call x).narrow (1, 0L, 1L)) > 1e-12) seen "first output")
        torchTest "takes any number of layers per level, mixed mixers, and tokens of one stride" (fun () ->
            for unet in [ false; true ] do
                let levels =
                    [| SashimiLevel(SashimiMixer.S4, 0)
                       SashimiLevel(SashimiMixer.Mamba, 1, FeedForward = 0, States = Nullable 2L)
                       SashimiLevel(SashimiMixer.Vim, 2, States = Nullable 2L) |]
                use model = new Sashimi(SashimiSettings(Width = 4L, Pools = [| 2; 3 |], Levels = levels, Unet = unet))
                Expect.equal (List.ofArray ((model.call (torch.randn (2L, 6L, 4L))).shape)) [ 2L; 6L; 4L ] "shape")
        test "settings and tokens that do not fit are refused with their numbers" {
            use model = new Sashimi(small)
            use x = torch.zeros (1L, 10L, 4L)
            Expect.stringContains (messageOf (fun () -> model.call x)) "multiple of 6" "length"
            Expect.stringContains (messageOf (fun () -> new Sashimi(SashimiSettings(Pools = [| 4 |])))) "2 levels, but got 3" "levels"
        } ]

let private classifier =
    testList "classifier" [
        torchTest "pads with tokens of zero and averages the real ones alone" (fun () ->
            use model = Classifiers.Create("sashimi_s4d_tiny", 3, InputShape(1L, 1L, 30L), ModelOptions(Seed = Nullable 1)) :?> SashimiClassifier
            model.eval ()
            use _ = torch.no_grad ()
            let x = torch.randn (2L, 1L, 1L, 30L)
            let part (name: string) =
                model.named_children () |> Seq.pick (fun struct (n, m) ->
                    match m with
                    | :? torch.nn.Module<torch.Tensor, torch.Tensor> as m when n = name -> Some m
                    | _ -> None)
            let tokens = torch.nn.functional.pad (part("encoder").call (x.squeeze(1).transpose (1, 2)), [| 0L; 0L; 0L; 2L |])
            let mean = model.Backbone.call(tokens).narrow(1, 0L, 30L).mean [| 1L |]
            Expect.isLessThan (far (model.call x) (part("head").call mean)) 1e-6 "logits")
        torchTest "mu-law codes rise with the sound and give it back" (fun () ->
            let sound = torch.linspace (-1.5, 1.5, 1001L)
            let codes = numbers (MuLaw.Encode sound)
            Expect.equal (List.ofArray (numbers (MuLaw.Encode(torch.tensor [| -1.0f; 0.0f; 1.0f |])))) [ 0.0; 128.0; 255.0 ] "extremes and silence"
            Expect.isTrue (codes |> Array.pairwise |> Array.forall (fun (a, b) -> a <= b)) "monotone"
            for x, code in Array.zip (numbers sound) codes do
                let pressed = 2.0 * code / 255.0 - 1.0
                let back = float (sign pressed) * (Math.Pow(256.0, abs pressed) - 1.0) / 255.0
                Expect.isLessThan (abs (back - Math.Clamp(x, -1.0, 1.0))) (0.023 * (abs back + 0.01)) $"sound {x}")
        torchTest "on mu-law codes tells sounds apart and refuses several rows" (fun () ->
            use model = Classifiers.Create("sashimi_s4d_mulaw", 3, InputShape(1L, 1L, 64L), ModelOptions(Seed = Nullable 1))
            let x = torch.rand (1L, 1L, 1L, 64L) - torch.tensor 0.5f
            (model.call x).sum().backward ()
            Expect.isGreaterThan ((nonNull (nonNull (model.get_parameter "encoder.weight")).grad).abs().max().item<float32> ()) 0.0f "embedding"
            Expect.isGreaterThan (far (model.call x) (model.call -x)) 1e-6 "logits"
            Expect.stringContains (messageOf (fun () -> Classifiers.Create("sashimi_s4d_mulaw", 3, InputShape(1L, 2L, 64L)))) "waveform" "message")
        torchTest "holds state matrices at the published learning rate, without decay" (fun () ->
            use model = Classifiers.Create("sashimi_mamba_tiny", 3, InputShape(1L, 1L, 64L))
            let leaf (key: string) = key.Substring(key.LastIndexOf '.' + 1)
            let held = set [ for struct (key, _) in model.named_parameters () do if model.LearningRateLimitOf(key).HasValue then leaf key ]
            Expect.equal held (set [ "inv_dt"; "B"; "A_real"; "A_imag" ]) "held"
            let free =
                set [ for struct (key, p) in model.named_parameters () do if p.dim () > 1L && not (model.IsDecayed(key, p)) then leaf key ]
            Expect.equal free (set [ "inv_dt"; "B"; "A_real"; "A_imag"; "A_log"; "A_b_log" ]) "not decayed")
        torchTest "numbers its layers from the encoder to the head" (fun () ->
            use model = Classifiers.Create("sashimi_s4d_tiny", 3, InputShape(1L, 1L, 64L))
            let depths = [ for struct (key, _) in model.named_parameters () -> model.DepthOf key ] |> List.distinct
            Expect.equal depths [ 0 .. model.Depths - 1 ] "depths in the order of the state dictionary"
            Expect.equal (model.DepthOf "encoder.weight", model.DepthOf "head.bias") (0, model.Depths - 1) "ends") ]

let tests = testSequencedGroup "torch" (testList "SaShiMi" [ convolutions; hippo; states; scan; gate; backbone; classifier ])
