/// The forms of the selective scan, and of the fused Mamba node, against their plain twins.
module BirdResearch.Tests.ScanTests

open System
open Expecto
open TorchSharp
open BirdResearch.Kernels
open BirdResearch.Models
open BirdResearch.Tests.Tensors

/// The vector forms that this processor has.
let private vectorForms =
    [ "vector256"
      if System.Runtime.Intrinsics.X86.Avx512DQ.IsSupported then "vector512" ]

type private Case =
    { Batch: int64; Channels: int64; Length: int64; States: int64
      B: int64; C: int64 // groups; 0 for a constant matrix
      Extras: bool; Reverse: bool }

let private plain = { Batch = 2L; Channels = 5L; Length = 33L; States = 4L; B = 1L; C = 1L; Extras = true; Reverse = false }

let private leaf (scale: float) (offset: float) (shape: int64 list) =
    (torch.randn(Array.ofList shape) * scale.ToScalar() + offset.ToScalar()).detach().requires_grad_()

let private matrix case groups =
    match groups with
    | 0L -> leaf 1.0 0.0 [ case.Channels; case.States ]
    | 1L -> leaf 1.0 0.0 [ case.Batch; case.States; case.Length ]
    | g -> leaf 1.0 0.0 [ case.Batch; g; case.States; case.Length ]

/// Inputs, and those that want a gradient with their names.
let private inputs case =
    torch.manual_seed 5L |> ignore
    let perToken () = leaf 1.0 0.0 [ case.Batch; case.Channels; case.Length ]
    let u, delta, z = perToken (), leaf 0.7 -1.0 [ case.Batch; case.Channels; case.Length ], perToken ()
    let a = (-torch.exp(torch.randn(case.Channels, case.States))).detach().requires_grad_()
    let b, c = matrix case case.B, matrix case case.C
    let d, bias = leaf 1.0 0.0 [ case.Channels ], leaf 0.3 0.0 [ case.Channels ]
    let scan =
        if case.Extras then ScanInputs(u, delta, a, b, c, D = d, Z = z, DeltaBias = bias, Softplus = true, Reverse = case.Reverse)
        else ScanInputs(u, torch.nn.functional.softplus delta, a, b, c, Reverse = case.Reverse)
    let leaves = [ "u", u; "delta", delta; "A", a; "B", b; "C", c ]
    scan, (if case.Extras then leaves @ [ "D", d; "z", z; "delta_bias", bias ] else leaves)

/// Outputs and gradients by name.
let private outcome (run: ScanInputs -> ScanResult) case =
    let scan, leaves = inputs case
    let result = run scan
    torch.manual_seed 6L |> ignore
    (result.Y * torch.randn result.Y.shape).sum().backward()
    [ "y", numbers result.Y; "last state", numbers result.LastState ]
    @ [ for name, leaf in leaves -> $"gradient of {name}", numbers (nonNull leaf.grad) ]

let private agree bound (want: (string * float[]) list) got =
    for (name, expected: float[]), (_, actual) in List.zip want got do
        let scale = expected |> Array.map abs |> Array.max
        Expect.isLessThan (widest expected actual / scale) bound name

let private cases =
    [ "one token", { plain with Length = 1L }
      "one channel, one state", { plain with Channels = 1L; States = 1L }
      "a chunk to the token", { plain with Length = 32L; Channels = 16L; States = 16L }
      "a token beyond a chunk", { plain with Length = 17L; Channels = 17L; States = 16L }
      "channels of two tiles and a bit, states not in fours", { plain with Length = 50L; Channels = 35L; States = 6L }
      "reverse", { plain with Reverse = true; Length = 40L; Channels = 20L; States = 16L }
      "no skip, gate, bias or softplus", { plain with Extras = false }
      "groups", { plain with Channels = 12L; B = 3L; C = 3L }
      "groups wider than a tile", { plain with Channels = 66L; B = 2L; C = 2L; Reverse = true }
      "one group of B beside several of C", { plain with Channels = 12L; B = 1L; C = 4L }
      "B and C in unlike groups", { plain with Channels = 12L; B = 3L; C = 2L }
      "constant B", { plain with B = 0L; Channels = 18L }
      "constant C", { plain with C = 0L; Length = 20L }
      "constant B and C, reverse", { plain with B = 0L; C = 0L; Reverse = true; Channels = 33L }
      "a long sequence", { plain with Batch = 1L; Channels = 4L; Length = 1025L; States = 16L } ]

let private scans =
    [ for form in vectorForms do
        for name, case in cases do
            torchTest $"{form} agrees with the plain loop in values and every gradient: {name}" (fun () ->
                withForm form (fun () -> agree 2e-5 (outcome SelectiveScan.Reference case) (outcome SelectiveScan.Apply case))) ]

/// Output of a mixer and the gradients of its input and parameters.
let private mixed (mixer: torch.nn.Module) (inner: torch.Tensor -> torch.Tensor) (shape: int64 list) =
    mixer.zero_grad()
    torch.manual_seed 8L |> ignore
    let xz = leaf 1.0 0.0 shape
    let y = inner xz
    (y * torch.randn y.shape).sum().backward()
    [ "y", numbers y
      "gradient of xz", numbers (nonNull xz.grad)
      for struct (name, p) in mixer.named_parameters() do
          match p.grad with
          | null -> ()
          | grad -> $"gradient of {name}", numbers grad ]

let private mixers =
    [ for form in vectorForms do
        for batch, length, width, settings in
            [ 2L, 21L, 16L, MambaSettings(Width = 16L)
              1L, 3L, 24L, MambaSettings(Width = 24L, States = 3L, Kernel = 5L, Expand = 3.0, DtRank = Nullable 7L)
              3L, 1L, 8L, MambaSettings(Width = 8L, ConvBias = false)
              1L, 70L, 40L, MambaSettings(Width = 40L) ] do
            let shape = [ batch; length; 2L * settings.Inner ]
            torchTest $"{form}: the fused Mamba node agrees with the composed form at {shape}" (fun () ->
                withForm form (fun () ->
                    let mixer = new MambaMixer(settings)
                    agree 2e-5 (mixed mixer mixer.Composed shape) (mixed mixer mixer.Inner shape)))
            for divide, flipped in [ true, false; false, true ] do
                torchTest $"{form}: both directions in one node agree with two composed ones at {shape}, divide {divide}, flipped {flipped}" (fun () ->
                    withForm form (fun () ->
                        let mixer = new VimMixer(settings, divide, flipped)
                        agree 2e-5 (mixed mixer mixer.Composed shape) (mixed mixer mixer.Inner shape))) ]

let tests =
    testList "Scan" [
        testSequencedGroup "torch" (testList "Selective scan" scans)
        testSequencedGroup "torch" (testList "Fused Mamba node" mixers)
        testSequencedGroup "torch" (testList "Around the scan" [
            torchTest "a form that does not exist is an error that lists the forms" (fun () ->
                let message = messageOf (fun () -> withForm "vector1024" (fun () -> SelectiveScan.Apply(fst (inputs plain))))
                Expect.stringContains message "vector1024" "what was asked for"
                Expect.stringContains message "vector256" "what there is")
            torchTest "a misfitting tensor is named with its shape and the shape it must have" (fun () ->
                let scan, _ = inputs plain
                let wrong = ScanInputs(scan.U, scan.Delta, scan.A, scan.B, torch.randn(2L, 3L, 33L))
                let message = messageOf (fun () -> SelectiveScan.Apply wrong)
                Expect.stringContains message "C has shape (2, 3, 33)" "the tensor"
                Expect.stringContains message "(2, 4, 33)" "the shape")
            torchTest "double precision takes the plain loop" (fun () ->
                let scan, _ = inputs plain
                let wide (t: torch.Tensor) = t.detach().``to``(torch.float64)
                let inputs = ScanInputs(wide scan.U, wide scan.Delta, wide scan.A, wide scan.B, wide scan.C, Softplus = true)
                Expect.equal (SelectiveScan.Apply inputs).Y.dtype torch.float64 "type"
                Expect.equal (numbers (SelectiveScan.Apply inputs).Y) (numbers (SelectiveScan.Reference inputs).Y) "values")
            torchTest "half-precision inputs give half-precision outputs from a float32 state" (fun () ->
                let scan, _ = inputs plain
                let half (t: torch.Tensor) = t.detach().``to``(torch.bfloat16)
                let short = ScanInputs(half scan.U, half scan.Delta, scan.A, half scan.B, half scan.C, Softplus = true)
                let wide (t: torch.Tensor) = t.``to``(torch.float32)
                let long = ScanInputs(wide short.U, wide short.Delta, scan.A, wide short.B, wide short.C, Softplus = true)
                let got, want = (SelectiveScan.Apply short).Y, (SelectiveScan.Apply long).Y
                Expect.equal got.dtype torch.bfloat16 "type"
                Expect.isLessThan (widest (numbers want) (numbers got) / (numbers want |> Array.map abs |> Array.max)) 0.01 "values")
            torchTest "a step size that underflows or a state that decays at once gives no NaN" (fun () ->
                for form in vectorForms do
                    withForm form (fun () ->
                        let delta = torch.tensor([| -200f; -50f; 0f; 50f; 200f; 1000f |]).reshape(1L, 1L, 6L)
                        let ones = torch.ones(1L, 2L, 6L)
                        let scan = ScanInputs(torch.ones(1L, 1L, 6L), delta, torch.tensor([| -1f; -1e6f |]).reshape(1L, 2L), ones, ones, Softplus = true)
                        agree 1e-5 [ "y", numbers (SelectiveScan.Reference scan).Y ] [ "y", numbers (SelectiveScan.Apply scan).Y ]))
            torchTest "the gradient of a gradient's second use is the same: the node keeps what it needs" (fun () ->
                let scan, leaves = inputs plain
                let y = (SelectiveScan.Apply scan).Y.sum()
                y.backward(retain_graph = true)
                let first = [ for name, leaf in leaves -> name, numbers (nonNull leaf.grad) ]
                for _, leaf in leaves do (nonNull leaf.grad).zero_() |> ignore
                y.backward()
                agree 1e-6 first [ for name, leaf in leaves -> name, numbers (nonNull leaf.grad) ])
            testCase "no tensor outlives a scan and its way back" (fun () ->
                use mixer = new VimMixer(MambaSettings(Width = 16L))
                let step () =
                    use _ = torch.NewDisposeScope()
                    mixer.forward(torch.randn(2L, 20L, 16L)).sum().backward()
                step ()
                let before = settledTensors ()
                for _ in 1..10 do step ()
                Expect.equal (settledTensors ()) before "live tensors")
            torchTest "the result does not depend on the number of threads" (fun () ->
                let threads = torch.get_num_threads()
                try
                    let outcomes =
                        [ for count in [ 1; 2; threads ] ->
                            torch.set_num_threads count
                            outcome SelectiveScan.Apply { plain with Channels = 70L; States = 16L } ]
                    for other in outcomes.Tail do Expect.equal other outcomes.Head "bits"
                finally
                    torch.set_num_threads threads)
        ])
    ]
